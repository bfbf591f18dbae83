import type { RejectionReason } from '../errors/rejection-reason.js';

/** Whose token an event is about, as far as a verifier vouches for it. Personal data: keep it accordingly. @publicApi */
export interface EventPrincipal {
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  /** Unique only together with `issuer`. */
  readonly subject: string | undefined;
  /** The token's own identifier, never the token. */
  readonly jti: string | undefined;
}

/** What an event about a request says beside its type. @publicApi */
export interface RequestEvent extends EventPrincipal {
  /** Random; the line in the log that goes with the event has the same. It is never sent to a client. */
  readonly correlationId: string;
  /** The protected resource, as configured. */
  readonly resource: string;
}

/** A request was let in. @publicApi */
export interface AuthenticatedEvent extends RequestEvent {
  readonly type: 'authenticated';
}

/** A request was rejected for where it comes from, for its credentials, or because they could not be checked. @publicApi */
export interface RejectedEvent extends RequestEvent {
  readonly type: 'rejected';
  /** `unavailable`: an authorization server did not answer; `fault`: something of the application failed. */
  readonly reason: Exclude<RejectionReason, 'insufficient_scope'>;
  /** The HTTP status of the answer. */
  readonly status: number;
}

/** A request had a good token that lacks scopes. @publicApi */
export interface ScopeDeniedEvent extends RequestEvent {
  readonly type: 'scope_denied';
  /** What the challenge asks for. */
  readonly required: readonly string[];
  /** What the token grants. */
  readonly granted: readonly string[];
}

/** The keys of an authorization server were fetched again; they may be the same. @publicApi */
export interface KeysRefreshedEvent {
  readonly type: 'keys_refreshed';
  readonly issuer: string;
}

/** The metadata of an authorization server was fetched again; it may be the same. @publicApi */
export interface MetadataRefreshedEvent {
  readonly type: 'metadata_refreshed';
  readonly issuer: string;
}

/** What comes from an authorization server and is kept. @publicApi */
export type ServerDocument = 'metadata' | 'keys';

/** Metadata or keys could not be had. @publicApi */
export interface DiscoveryFailedEvent {
  readonly type: 'discovery_failed';
  readonly issuer: string;
  readonly what: ServerDocument;
  /** What the operator's log says of it. */
  readonly reason: string;
}

/** Metadata or keys that should have been renewed served once more. @publicApi */
export interface StaleUsedEvent {
  readonly type: 'stale_used';
  readonly issuer: string;
  readonly what: ServerDocument;
  readonly ageSeconds: number;
}

/** What {@link McpAuthEvents} tells. Frozen, and without any token. @publicApi */
export type McpAuthEvent =
  | AuthenticatedEvent
  | RejectedEvent
  | ScopeDeniedEvent
  | KeysRefreshedEvent
  | MetadataRefreshedEvent
  | DiscoveryFailedEvent
  | StaleUsedEvent;

/** The `type` of an event, which {@link McpAuthEvents.on} takes. @publicApi */
export type McpAuthEventType = McpAuthEvent['type'];
