import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** Claims whose value must be a non-empty string. */
const NAMES: readonly string[] = ['iss', 'sub', 'client_id', 'jti'];

/**
 * Rejects a token that lacks a claim that its verifier, or the options of its server, require. The form of times and
 * audience is validated elsewhere.
 *
 * @param claims - the token's claims
 * @param required - the names of the required claims; none if undefined
 * @throws {@link TokenRejectedError} `missing_claim`
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2 | RFC 9068 section 2.2}
 * @internal
 */
export function assertRequiredClaims(claims: TokenClaims, required: readonly string[] | undefined): void {
  for (const name of required ?? [])
    if (!isThere(claims, name)) throw new TokenRejectedError('missing_claim');
}

function isThere(claims: TokenClaims, name: string): boolean {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (NAMES.includes(name)) return typeof value === 'string' && value !== '';
  return value !== undefined && value !== null;
}
