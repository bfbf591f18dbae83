import type { RejectionReason } from '../errors/rejection-reason.js';

/** The caller of an event, as far as a verifier vouches for it. Personal data: protect it accordingly. @publicApi */
export interface EventPrincipal {
  /** The authorization server that issued the token; of an API key, the issuer in the option. */
  readonly issuer: string | undefined;
  /** The subject of the token, or what the option `redact.subject` makes of it. Unique only together with `issuer`. */
  readonly subject: string | undefined;
  /** The client that the token was issued to. */
  readonly clientId: string | undefined;
  /** The token's own identifier, never the token. */
  readonly jti: string | undefined;
  /**
   * Who acts for the subject: `sub`, else `client_id`, in the token's claim `act` (RFC 8693 section 4.1), or what
   * `redact.subject` makes of it. Earlier actors are left out.
   */
  readonly actor: string | undefined;
}

/** One operation of a request, without its arguments. @publicApi */
export interface EventOperation {
  /** The method of the JSON-RPC message, such as `tools/call`. Cut off at 200 characters. */
  readonly method: string;
  /** What the message runs: a tool, a prompt or a resource. Undefined if it runs no handler, such as `tools/list`. */
  readonly kind: 'tool' | 'prompt' | 'resource' | undefined;
  /** The name of the tool or prompt, or the URI of the resource, as sent. Cut off at 200 characters. */
  readonly name: string | undefined;
}

/** An operation of a request whose answer has ended. @publicApi */
export interface CompletedOperation extends EventOperation {
  /**
   * `denied` if the request or this operation was rejected. `succeeded` if the answer has a result for it. `failed` if the answer
   * has an error for it, a result with `isError`, or an HTTP status from 400. `unknown` if the package can read none of these.
   */
  readonly outcome: 'succeeded' | 'failed' | 'denied' | 'unknown';
}

/** The members of every event about a request, in addition to its type. @publicApi */
export interface RequestEvent extends EventPrincipal {
  /** Random; the same in all events and log lines of one request. It is never sent to a client. */
  readonly requestId: string;
  /** The protected resource, as configured. */
  readonly resource: string;
  /**
   * The handler of Nest's route, such as `NotesEndpoint.post`. Of a call without an HTTP request, the handler itself. Undefined if
   * the decision was made before a route was found.
   */
  readonly route: string | undefined;
  /**
   * What the body asks for, at most 100 operations. Empty for a request without a JSON-RPC body, and for one that was rejected
   * before its body was read.
   */
  readonly operations: readonly EventOperation[];
  /**
   * `bearer`, `dpop`: the request has one access token with that scheme in its `Authorization` header, valid or not. `api_key`: it
   * has the header of the resource's `apiKeys`. `local`: a call without an HTTP request, such as over stdio. Undefined if no such
   * credential was sent.
   */
  readonly credential: 'bearer' | 'dpop' | 'api_key' | 'local' | undefined;
  /** How the token was proved to belong to its sender: the member of its claim `cnf`. Undefined for a plain bearer token. */
  readonly binding: 'jkt' | 'x5t#S256' | undefined;
  /** The MCP version of the request: a date from its header `Mcp-Protocol-Version`, else from `_meta`. */
  readonly protocolVersion: string | undefined;
  /** The SHA-256 hash of the header `Mcp-Session-Id`, in base64url. */
  readonly session: string | undefined;
  /** The client's address as the platform sees it, or what the option `redact.remoteAddress` makes of it. */
  readonly remoteAddress: string | undefined;
  /** The W3C trace context of the request: its header `traceparent`, else that in `_meta`. Undefined if it is not well-formed. */
  readonly traceparent: string | undefined;
}

/**
 * A request was let through by the last layer that decides, also an anonymous one. A request has at most one.
 *
 * `access_denied` may follow with the same `requestId`, if a handler finds a scope missing.
 *
 * @publicApi
 */
export interface AccessGrantedEvent extends RequestEvent {
  /** The name of the event. */
  readonly type: 'access_granted';
  /** The scopes that the token grants. Empty for an anonymous request. */
  readonly granted: readonly string[];
}

/** A request, or an operation of it, was rejected. @publicApi */
export interface AccessDeniedEvent extends RequestEvent {
  /** The name of the event. */
  readonly type: 'access_denied';
  /** Why. `unavailable`: an authorization server did not answer. `fault`: the application failed. */
  readonly reason: RejectionReason;
  /** The HTTP status of the rejection: 401 or 403 also if the option `toolChallenge` answers with a tool result. */
  readonly status: number;
  /** The scopes of the challenge. Empty unless the reason is `insufficient_scope`. */
  readonly required: readonly string[];
  /** The scopes that the token grants. Empty unless the token was verified. */
  readonly granted: readonly string[];
}

/**
 * The answer to a request has ended that was granted or denied while a listener of this event existed. Calls without an HTTP
 * request have no such event.
 *
 * @publicApi
 */
export interface RequestCompletedEvent extends RequestEvent {
  /** The name of the event. */
  readonly type: 'request_completed';
  /** The HTTP status that was sent. 0 if the connection was closed before any. */
  readonly status: number;
  /** From when this package first saw the request until its answer was closed. Unit: milliseconds, with fractions. */
  readonly durationMs: number;
  /** The operations, each with its outcome as far as it is known. */
  readonly operations: readonly CompletedOperation[];
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
  | AccessGrantedEvent
  | AccessDeniedEvent
  | RequestCompletedEvent
  | KeysRefreshedEvent
  | MetadataRefreshedEvent
  | DiscoveryFailedEvent
  | StaleUsedEvent;

/** The `type` of an event, which {@link McpAuthEvents.on} takes. @publicApi */
export type McpAuthEventType = McpAuthEvent['type'];
