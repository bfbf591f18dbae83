import { type JSONWebKeySet, type JWK } from 'jose';
import { MAX_KEYS } from '../mcp-auth.constants.js';

/**
 * The members of a JWK Set that can verify a signature: public asymmetric keys. Anything else is left out,
 * so that one bad member does not spoil the set. At most 64 are kept.
 *
 * @returns the set, and how many members were left out
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-5 | RFC 7517 section 5}
 * @internal
 */
export function usableKeys(members: readonly unknown[]): { jwks: JSONWebKeySet; skipped: number } {
  const keys = members.filter(isPublicKey).slice(0, MAX_KEYS);
  return { jwks: { keys }, skipped: members.length - keys.length };
}

function isPublicKey(member: unknown): member is JWK {
  if (typeof member !== 'object' || member === null) return false;
  const { kty, d, k } = member as Record<string, unknown>;
  return typeof kty === 'string' && kty !== 'oct' && d === undefined && k === undefined;
}
