import { type TokenClaims } from '../verifier/token.verifier.js';

/**
 * The scopes that a token grants: from `scope`, else `scp`, else `scopes`; the first that is present counts
 * alone. A string is split at spaces, of a list each string without a space is one scope. Any other type
 * grants nothing.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3 | RFC 9068 section 2.2.3}
 * @internal
 */
export function tokenScopes({ scope, scp, scopes }: TokenClaims): readonly string[] {
  const claim = scope ?? scp ?? scopes;
  const parts: readonly unknown[] =
    typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  return [...new Set(parts.filter(isScope))];
}

function isScope(part: unknown): part is string {
  return typeof part === 'string' && part !== '' && !part.includes(' ');
}
