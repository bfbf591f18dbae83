import { McpAuthError } from './mcp-auth.error.js';

/**
 * Why a request was rejected before its credentials were read. Stable: adding a member is a minor release.
 *
 * @publicApi
 */
export type RequestOriginRejection = 'origin' | 'host' | 'duplicate_host' | 'request_target';

/**
 * The resource does not allow the request's `Origin` or `Host`. Clients get `403` without a challenge, because no token would
 * help. They get `400` for `duplicate_host`: the request names two hosts. They also get `400` for `request_target`: the target
 * on its first line has none of the forms of RFC 9112 section 3.2, and programs read different paths from it.
 *
 * This check runs before credentials are read, so a token in the request was not checked. The message contains only the
 * reason: nothing of the request.
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
 * Why a request has no resource, at a resource with `tenants`. Stable: adding a member is a minor release.
 *
 * @publicApi
 */
export type TenantRejection = 'unknown_tenant' | 'tenant_unavailable';

/**
 * The path of a request names no tenant of its resource, or the resource of its tenant is not known now.
 *
 * Clients get `404` without a challenge for `unknown_tenant`: the path has no tenant, or `tenants` returned `undefined` for it. They
 * get `503` with `Retry-After` for `tenant_unavailable`: `tenants` threw, gave no answer in time, or is not called because too many
 * calls failed.
 *
 * This check runs before credentials are read, so a token in the request was not checked. The message contains only the reason.
 *
 * @publicApi
 */
export class TenantRejectedError extends McpAuthError {
  constructor(
    readonly reason: TenantRejection,
    options?: ErrorOptions,
  ) {
    super('ERR_MCP_AUTH_TENANT_REJECTED', `Tenant rejected: ${reason}`, options);
  }
}

/**
 * Why a request's credentials were not checked. Stable: adding a member is a minor release.
 *
 * @publicApi
 */
export type CredentialsRejection = 'missing_token' | 'unsupported_scheme' | 'multiple_credentials';

/**
 * The request carries no usable bearer token, or more than one credential. No token was checked.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @publicApi
 */
export class CredentialsRejectedError extends McpAuthError {
  /**
   * @param reason - why
   * @param scopes - the scopes of the challenge, in order; if empty, those of the resource by its `challengeScopes`
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
  | 'actor'
  | 'sender_constrained'
  | 'not_an_access_token'
  | 'not_bound'
  | 'certificate_missing'
  | 'certificate_malformed'
  | 'certificate_mismatch'
  | 'revoked'
  | 'replayed'
  | ProofRejection;

/**
 * Why a DPoP proof was rejected. Stable: adding a member is a minor release.
 *
 * @publicApi
 */
export type ProofRejection =
  | 'proof_missing'
  | 'proof_malformed'
  | 'proof_algorithm'
  | 'proof_key'
  | 'proof_signature'
  | 'proof_request'
  | 'proof_time'
  | 'proof_token'
  | 'proof_nonce'
  | 'proof_replayed';

/**
 * The access token was rejected; clients get `401 invalid_token`, whatever the reason.
 *
 * The message contains only the reason: no token, no claim value, no key id. A verifier of your own throws this (or returns
 * null) for an invalid token; any other error counts as a fault of the verifier.
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
 * The token is valid and bound to a key, but the request has no valid DPoP proof of that key. Clients get `401` with
 * `invalid_dpop_proof` or `use_dpop_nonce` in the challenge of the scheme DPoP.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 | RFC 9449 section 7.1}
 * @publicApi
 */
export class ProofRejectedError extends TokenRejectedError {
  /**
   * @param reason - why
   * @param nonce - the nonce for the next proof; undefined if the resource has none
   */
  constructor(
    override readonly reason: ProofRejection,
    readonly nonce?: string,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}

/**
 * The token is valid but lacks scopes; clients get `403 insufficient_scope`.
 *
 * `AuthContext.requireScopes()` throws this error if scopes are missing. A Nest route, and a handler of an MCP server in Nest,
 * may throw it too. If nothing of the answer has been sent, the request is answered with 403, as if it had been rejected
 * before. If a stream has begun, the answer to the request is an error that names the scopes. An anonymous request is answered
 * with 401. If a handler catches the error and returns another answer, that answer is sent.
 *
 * In other code it is an ordinary error. A callback of the MCP SDK calls `AuthContext.requireScopes()` instead, because the
 * SDK turns every error of a callback into a tool error.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @publicApi
 */
export class InsufficientScopeError extends McpAuthError {
  /**
   * @param scopes - the scopes of the challenge, in order. If a handler throws the error: the scopes that it needs; those of
   * the resource and of the decorators on the handler are added
   */
  constructor(readonly scopes: readonly string[]) {
    super('ERR_MCP_AUTH_INSUFFICIENT_SCOPE', `The operation needs the scopes: ${scopes.join(' ')}`);
  }
}

/** The user authentication that an operation needs, as its challenge names it. @publicApi */
export interface NeededAuthentication {
  /** Authentication context classes in preference order, of which one is needed; empty if any will do. */
  readonly acrValues: readonly string[];
  /** How long ago the user may have authenticated, in seconds; undefined if that does not matter. */
  readonly maxAgeSeconds: number | undefined;
}

/**
 * The token is valid, but its user has not authenticated strongly or recently enough for `@RequireAuthentication()`; clients get
 * `401 insufficient_user_authentication`.
 *
 * The message names what is needed, and nothing of the token.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470#section-3 | RFC 9470 section 3}
 * @publicApi
 */
export class InsufficientAuthenticationError extends McpAuthError implements NeededAuthentication {
  readonly acrValues: readonly string[];
  readonly maxAgeSeconds: number | undefined;

  /**
   * @param needed - what the operation needs
   * @param scopes - the scopes of the challenge, in order: one new token then has all that the operation needs
   */
  constructor(
    { acrValues, maxAgeSeconds }: NeededAuthentication,
    readonly scopes: readonly string[] = [],
  ) {
    const wanted = [
      ...(acrValues.length > 0 ? [`one of the acr values ${acrValues.join(' ')}`] : []),
      ...(maxAgeSeconds === undefined ? [] : [`at most ${String(maxAgeSeconds)} s ago`]),
    ];
    const message = `The operation needs another authentication of the user: ${wanted.join(', ')}`;
    super('ERR_MCP_AUTH_INSUFFICIENT_AUTHENTICATION', message);
    this.acrValues = acrValues;
    this.maxAgeSeconds = maxAgeSeconds;
  }
}

/** Why a caller with a valid token is denied, whatever its scopes. Stable: adding a member is a minor release. @publicApi */
export type AccessDenial = 'policy' | 'client';

/**
 * The token is valid, but its caller may not do this, and no other scope changes that. Clients get `403 access_denied` without a
 * challenge: with one, they would send the user to sign in again, in vain.
 *
 * The reason is `policy` if a policy of the application denied the operation, and `client` if the resource does not allow the
 * client that the token was issued to. The message contains only the reason: nothing of the token and nothing of the request.
 *
 * A Nest route, and a handler of an MCP server in Nest, may throw it too, as {@link InsufficientScopeError}: for example after
 * `AuthContext.can()`. An anonymous request is answered with 401.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-15.5.4 | RFC 9110 section 15.5.4}
 * @publicApi
 */
export class AccessDeniedError extends McpAuthError {
  constructor(
    readonly reason: AccessDenial,
    options?: ErrorOptions,
  ) {
    super('ERR_MCP_AUTH_ACCESS_DENIED', `Access denied: ${reason}`, options);
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
  | 'not_a_message'
  | 'no_stream';

/**
 * The message must not be served, whatever the scopes of the token.
 *
 * Clients get `400` with a JSON-RPC error if the request's protocol version does not allow the message: a batch, which ended
 * with version 2025-03-26, or headers that differ from the body. They also get it if the message asks for more than
 * `maxOperations`, and if the body is JSON text but not a message. They get `403` without a challenge for a call of an
 * undeclared tool, with `undeclaredTools: 'deny'` or an `McpHandlerSource`, and for an operation whose handler belongs to
 * another protected resource. They get `415` if the body is not sent as `application/json` and has not been parsed, so that it
 * cannot be checked. They get `405` without a challenge for a stream outside of a session, if they send no token to a resource
 * with `anonymousMethods`.
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
 * The request cannot be decided or served now: an authorization server, its keys or a policy is unavailable. Clients get `503`
 * with `Retry-After` and no challenge, so that they keep their token. So they do if a handler throws it, and nothing of the
 * answer has been sent.
 *
 * @publicApi
 */
export class AuthorizationServerUnavailableError extends McpAuthError {
  /**
   * @param issuer - the authorization server; the resource if it is the `authorization server` that is missing
   * @param missing - what could not be fetched from it
   */
  constructor(
    readonly issuer: string,
    readonly missing:
      | 'keys'
      | 'metadata'
      | 'introspection'
      | 'verification'
      | 'replay protection'
      | 'downstream token'
      | 'authorization server'
      | 'policy decision' = 'keys',
    options?: ErrorOptions,
  ) {
    super('ERR_MCP_AUTH_UNAVAILABLE', `Could not get the ${missing} of ${issuer}`, options);
  }
}
