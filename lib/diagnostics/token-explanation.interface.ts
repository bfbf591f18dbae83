import type { RejectionReason } from '../errors/rejection-reason.js';

/**
 * One check of a token, in the order of a request.
 *
 * - `form`: length and characters; for a JWT also its parts
 * - `issuer`: one of the resource's authorization servers, or one that its `authorizationServerResolver` knows
 * - `algorithm`, `signature`, `type`: of a JWT
 * - `introspection`: the response of the authorization server, for other tokens
 * - `verifier`: the result of a verifier of the application, in place of the four before
 * - `audience`, `time`, `required_claims`: the claims
 * - `binding`: the token needs no proof of possession
 * - `kind`: an access token, not an ID token or the like
 * - `principal`: subject and client
 * - `revocation`: the option `isRevoked`
 * - `scopes`: `requiredScopes` of the resource; an operation may need more
 *
 * @publicApi
 */
export type TokenCheckName =
  | 'form'
  | 'issuer'
  | 'algorithm'
  | 'signature'
  | 'type'
  | 'introspection'
  | 'verifier'
  | 'audience'
  | 'time'
  | 'required_claims'
  | 'binding'
  | 'kind'
  | 'principal'
  | 'revocation'
  | 'scopes';

/**
 * What came of a check.
 *
 * - `passed`, `failed`: as with a request
 * - `unknown`: it would need a request to an authorization server, or code of the application that may send one
 * - `not_reached`: it needs the result of an earlier check that failed or is unknown
 *
 * @publicApi
 */
export type TokenCheckOutcome = 'passed' | 'failed' | 'unknown' | 'not_reached';

/** The outcome of one check. Texts hold values of claims, of 200 characters at most, and never the token. @publicApi */
export interface TokenCheck {
  readonly name: TokenCheckName;
  readonly outcome: TokenCheckOutcome;
  /** Why it failed. */
  readonly reason: RejectionReason | undefined;
  /** What the resource accepts. Undefined for a check that was not reached. */
  readonly expected: string | undefined;
  /** What the token has; for an unknown outcome, why it is unknown. Undefined for a check that was not reached. */
  readonly found: string | undefined;
}

/** Times of a token, seen from the clock that requests use. Unit: seconds. Undefined for a claim that is no number. @publicApi */
export interface TokenTimes {
  /** Time until `exp`; negative after it. */
  readonly expiresInSeconds: number | undefined;
  /** Time until `nbf`; negative after it. */
  readonly validInSeconds: number | undefined;
  /** Time since `iat`; negative before it. */
  readonly ageSeconds: number | undefined;
}

/** Why a token is accepted or rejected. @publicApi */
export interface TokenExplanation {
  /** The resource, as configured. */
  readonly resource: string;
  /** `rejected` if a check failed, whatever the unknown ones would say; `unknown` if none failed and one is unknown. */
  readonly decision: 'accepted' | 'rejected' | 'unknown';
  /** The reason of a rejection: as in events, if no check before it is unknown. */
  readonly reason: RejectionReason | undefined;
  /** In the order of a request, which ends at the first that fails. */
  readonly checks: readonly TokenCheck[];
  /** Undefined if the claims are not known. */
  readonly times: TokenTimes | undefined;
}

/** Options of {@link McpAuthDiagnostics.explain}. @publicApi */
export interface ExplainOptions {
  /**
   * Whether to call the application's own verifier, `authorizationServerResolver` and `isRevoked`, as a request does. They may send requests, log and count.
   *
   * @defaultValue false: what they would say is unknown
   */
  readonly callApplication?: boolean;
}
