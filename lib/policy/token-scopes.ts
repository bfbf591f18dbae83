import { type ResolvedClaimNames, USUAL_CLAIM_NAMES } from '../options/claim-names.js';
import type { TokenClaims } from '../options/token.verifier.js';

/**
 * Returns the scopes that a token grants, from only the first named claim that is present. A string is split at spaces.
 * In a list, each string without a space is one scope. Any other type grants nothing.
 *
 * @param claims - the token's claims
 * @param names - the possible names of the claim, or a function that makes a list of scopes from all claims
 * @throws TypeError if the function does not return a list; and what it throws
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3 | RFC 9068 section 2.2.3}
 * @internal
 */
export function tokenScopes(
  claims: TokenClaims,
  names: ResolvedClaimNames['scopes'] = USUAL_CLAIM_NAMES.scopes,
): readonly string[] {
  const granted = typeof names === 'function' ? listFrom(names(claims)) : firstPresent(claims, names);
  const parts: readonly unknown[] =
    typeof granted === 'string' ? granted.split(' ') : Array.isArray(granted) ? granted : [];
  return [...new Set(parts.filter(isScope))];
}

function firstPresent(claims: TokenClaims, names: readonly string[]): unknown {
  for (const name of names) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** Checks the value at run time. A promise would silently grant nothing. */
function listFrom(result: unknown): readonly unknown[] {
  if (Array.isArray(result)) return result;
  throw new TypeError(`The option "claimNames.scopes" gave a value of type ${typeof result}, not a list`);
}

function isScope(part: unknown): part is string {
  return typeof part === 'string' && part !== '' && !part.includes(' ');
}
