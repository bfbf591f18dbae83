import { McpAuthError } from './mcp-auth.error.js';

/**
 * Why a request was rejected before its credentials were looked for. Stable: adding a member is a minor release.
 *
 * @publicApi
 */
export type RequestOriginRejection = 'origin' | 'host' | 'duplicate_host' | 'request_target';

/**
 * The request's `Origin` or `Host` is not one that the resource answers to; clients see `403` without a challenge,
 * because no token would help. They see `400` for `duplicate_host`: the request names two hosts; and for
 * `request_target`: the target on its first line has none of the forms of RFC 9112 section 3.2, and programs read
 * different paths from it.
 *
 * Decided before credentials, so a token that came along was not looked at. The message holds the reason only:
 * nothing of the request.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http | MCP, Streamable HTTP}
 * @publicApi
 */
export class RequestOriginRejectedError extends McpAuthError {
  constructor(readonly reason: RequestOriginRejection) {
    super('ERR_MCP_AUTH_ORIGIN_REJECTED', `Request rejected: ${reason}`);
  }
}

/**
 * Why a request's credentials were not looked at. Stable: adding a member is a minor release.
 *
 * @publicApi
 */
export type CredentialsRejection = 'missing_token' | 'unsupported_scheme' | 'multiple_credentials';

/**
 * The request carries no usable bearer token, or more than one credential. No token was looked at.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @publicApi
 */
export class CredentialsRejectedError extends McpAuthError {
  /**
   * @param reason - why
   * @param scopes - what the challenge asks for, in order; none for the `requiredScopes` of the resource
   */
  constructor(
    readonly reason: CredentialsRejection,
    readonly scopes: readonly string[] = [],
  ) {
    super('ERR_MCP_AUTH_CREDENTIALS_REJECTED', `Credentials rejected: ${reason}`);
  }
}

/**
 * Why a token was rejected. Stable: adding a member is a minor release, renaming one is major.
 *
 * @publicApi
 */
export type TokenRejection =
  | 'malformed'
  | 'too_long'
  | 'algorithm'
  | 'type'
  | 'unknown_key'
  | 'unusable_key'
  | 'signature'
  | 'inactive'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'time_claims'
  | 'too_old'
  | 'missing_claim'
  | 'subject'
  | 'sender_constrained'
  | 'not_an_access_token'
  | 'revoked';

/**
 * The access token was rejected; clients see `401 invalid_token` whatever the reason.
 *
 * The message holds the reason only: no token, no claim value, no key id. A verifier of your own throws
 * this (or returns null) for a token that is bad; anything else it throws counts as its own fault.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @publicApi
 */
export class TokenRejectedError extends McpAuthError {
  constructor(
    readonly reason: TokenRejection,
    options?: ErrorOptions,
  ) {
    super('ERR_MCP_AUTH_TOKEN_REJECTED', `Access token rejected: ${reason}`, options);
  }
}

/**
 * The token is valid and lacks scopes; clients see `403 insufficient_scope`.
 *
 * `AuthContext.requireScopes()` throws one after it has decided. A Nest route, and a handler of an MCP server in Nest, may
 * throw one itself. While nothing of the answer has been sent, the request is answered with 403 as if it had been rejected
 * before. In a stream that has begun, the answer to the request is an error that names the scopes. An anonymous request is
 * answered with 401. A handler that catches the error and gives another answer keeps that one.
 *
 * Elsewhere it is an error like any other: a callback of the MCP SDK calls `AuthContext.requireScopes()`, as the SDK makes a
 * tool error of whatever the callback throws.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @publicApi
 */
export class InsufficientScopeError extends McpAuthError {
  /**
   * @param scopes - what the challenge asks for, in order. Where a handler throws it: what it needs; what the resource and
   * the decorators on the handler ask for is added
   */
  constructor(readonly scopes: readonly string[]) {
    super('ERR_MCP_AUTH_INSUFFICIENT_SCOPE', `The operation needs the scopes: ${scopes.join(' ')}`);
  }
}

/** Why a request's JSON-RPC message was rejected. Stable: adding a member is a minor release. @publicApi */
export type MessageRejection =
  | 'batch'
  | 'header_mismatch'
  | 'too_large'
  | 'undeclared_tool'
  | 'other_resource'
  | 'media_type'
  | 'not_a_message';

/**
 * The token is good, and the message is none that may be served, whatever its scopes.
 *
 * Clients see `400` with a JSON-RPC error where it is not what the request's protocol version allows: a batch, which ended
 * with version 2025-03-26, or headers that say something else than the body; if it asks for more than `maxOperations`; and if
 * the body is a JSON text that is no message. They see `403` without a challenge for a call of a tool that nothing declares,
 * with `undeclaredTools: 'deny'` or an `McpHandlerSource`, and for an operation whose handler belongs to another protected
 * resource. They see `415` if the body is not sent as
 * `application/json` and has not been parsed, so that it cannot be decided on.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-06-18/changelog | MCP 2025-06-18, changes}
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http | MCP, Streamable HTTP}
 * @publicApi
 */
export class MessageRejectedError extends McpAuthError {
  constructor(readonly reason: MessageRejection) {
    super('ERR_MCP_AUTH_MESSAGE_REJECTED', `Message rejected: ${reason}`);
  }
}

/**
 * Whether the token is good cannot be told now: the authorization server or its keys cannot be had.
 * Clients see `503` with `Retry-After` and no challenge, so that they keep their token.
 *
 * @publicApi
 */
export class AuthorizationServerUnavailableError extends McpAuthError {
  /**
   * @param issuer - the authorization server
   * @param missing - what cannot be had from it
   */
  constructor(
    readonly issuer: string,
    readonly missing: 'keys' | 'metadata' | 'introspection' | 'verification' = 'keys',
    options?: ErrorOptions,
  ) {
    super('ERR_MCP_AUTH_UNAVAILABLE', `Could not get the ${missing} of ${issuer}`, options);
  }
}
