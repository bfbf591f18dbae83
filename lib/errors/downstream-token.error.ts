import { McpAuthError } from './mcp-auth.error.js';

/**
 * Why there is no downstream token. Stable: adding a member is a minor release.
 *
 * - `no_caller`: the code does not run in the course of a request with a verified token
 * - `revoked`: `isRevoked` says that the caller's token was revoked during the request
 * - `not_configured`: the authorization server of the caller has no option `tokenExchange`
 * - `rejected`: the authorization server answered with an error; `oauthError` has its code
 * - `invalid_answer`: the authorization server answered with something that is not an access token for this use
 *
 * @publicApi
 */
export type DownstreamTokenFailure =
  'no_caller' | 'revoked' | 'not_configured' | 'rejected' | 'invalid_answer';

/**
 * `DownstreamTokens` has no token for the caller. A handler decides what that means: with `consent_required` or
 * `interaction_required`, for example, the person must do something at the authorization server first. An error that no
 * handler catches is a fault of the application: a tool error, or 500 on a route.
 *
 * The message contains the issuer and the code, and nothing of a token or of the answer.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2 | RFC 8693 section 2.2.2}
 * @publicApi
 */
export class DownstreamTokenError extends McpAuthError {
  /**
   * @param reason - why
   * @param message - what happened, in words for an operator
   * @param oauthError - the error code of the authorization server, such as `invalid_target`; undefined unless the reason is
   * `rejected` and the code is made of lower-case words
   */
  constructor(
    readonly reason: DownstreamTokenFailure,
    message: string,
    readonly oauthError?: string,
  ) {
    super('ERR_MCP_AUTH_DOWNSTREAM_TOKEN', message);
  }
}
