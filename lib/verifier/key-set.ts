import { createLocalJWKSet, type CryptoKey, type JSONWebKeySet } from 'jose';

type Resolve = ReturnType<typeof createLocalJWKSet>;

/**
 * A JWK Set that never changes. A header that singled out a key once has it at hand from then on, where jose would look
 * through the whole set each time.
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
