import { TokenRejectedError } from '../errors/rejection.errors.js';
import { USUAL_CLAIM_NAMES } from '../options/claim-names.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** The subject and the client of a token. @internal */
export interface TokenPrincipal {
  readonly subject: string | undefined;
  readonly clientId: string;
}

/**
 * Returns subject and client. The client is the first of the named claims that is a non-empty string, else empty: a
 * wrong value would be worse. `sub` is used for the client only if it is named.
 *
 * @param claims - the token's claims
 * @param names - the possible names of the client's claim
 * @throws {@link TokenRejectedError} `subject` if `sub` is not a non-empty string, or both are missing
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2 | RFC 9068 section 2.2}
 * @internal
 */
export function tokenPrincipal(
  claims: TokenClaims,
  names: readonly string[] = USUAL_CLAIM_NAMES.clientId,
): TokenPrincipal {
  const { sub } = claims;
  const clientId = names.map((name) => claims[name]).find(isName) ?? '';
  if (sub === undefined && clientId !== '') return { subject: undefined, clientId };
  if (!isName(sub)) throw new TokenRejectedError('subject');
  return { subject: sub, clientId };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
