import type { RejectionReason } from '../errors/rejection-reason.js';

/** The caller of an event, as far as a verifier vouches for it. Personal data: protect it accordingly. @publicApi */
export interface EventPrincipal {
  /** The authorization server that issued the token. */
  readonly issuer: string | undefined;
  /** The client that the token was issued to. */
  readonly clientId: string | undefined;
  /** The subject of the token. Unique only together with `issuer`. */
  readonly subject: string | undefined;
  /** The token's own identifier, never the token. */
  readonly jti: string | undefined;
}

/** The members of every event about a request, in addition to its type. @publicApi */
export interface RequestEvent extends EventPrincipal {
  /** Random; the log line of the same event has the same id. It is never sent to a client. */
  readonly correlationId: string;
  /** The protected resource, as configured. */
  readonly resource: string;
}

/**
 * A caller was authenticated and authorized. `scope_denied` may follow for the same request: with `earlyAuthentication`, or if
 * a handler finds a scope missing. A request without a token that passes has no event.
 *
 * @publicApi
 */
export interface AuthenticatedEvent extends RequestEvent {
  /** The name of the event. */
  readonly type: 'authenticated';
}

/** A request was rejected for its origin or its credentials, or because they could not be checked. @publicApi */
export interface RejectedEvent extends RequestEvent {
  /** The name of the event. */
  readonly type: 'rejected';
  /** Why. `unavailable`: an authorization server did not answer. `fault`: the application failed. */
  readonly reason: Exclude<RejectionReason, 'insufficient_scope'>;
  /** The HTTP status of the rejection: 401 also if the option `toolChallenge` answers with a tool result. */
  readonly status: number;
}

/** A request had a valid token that lacks scopes. @publicApi */
export interface ScopeDeniedEvent extends RequestEvent {
  /** The name of the event. */
  readonly type: 'scope_denied';
  /** The scopes of the challenge. */
  readonly required: readonly string[];
  /** The scopes that the token grants. */
  readonly granted: readonly string[];
}

/** The keys of an authorization server were fetched again; they may be the same. @publicApi */
export interface KeysRefreshedEvent {
  /** The name of the event. */
  readonly type: 'keys_refreshed';
  /** The authorization server. */
  readonly issuer: string;
}

/** The metadata of an authorization server was fetched again; it may be the same. @publicApi */
export interface MetadataRefreshedEvent {
  /** The name of the event. */
  readonly type: 'metadata_refreshed';
  /** The authorization server. */
  readonly issuer: string;
}

/** A document of an authorization server that is cached. @publicApi */
export type ServerDocument = 'metadata' | 'keys';

/** Metadata or keys could not be fetched. @publicApi */
export interface DiscoveryFailedEvent {
  /** The name of the event. */
  readonly type: 'discovery_failed';
  /** The authorization server. */
  readonly issuer: string;
  /** Which document it is about. */
  readonly what: ServerDocument;
  /** The reason in the operator's log. */
  readonly reason: string;
}

/** Outdated metadata or keys were used, because they could not be fetched again. @publicApi */
export interface StaleUsedEvent {
  /** The name of the event. */
  readonly type: 'stale_used';
  /** The authorization server. */
  readonly issuer: string;
  /** Which document it is about. */
  readonly what: ServerDocument;
  /** How old the document is. Unit: seconds. */
  readonly ageSeconds: number;
}

/** An event of {@link McpAuthEvents}. Frozen, and without any token. @publicApi */
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
