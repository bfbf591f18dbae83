import { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { SIGNATURE_ALGORITHMS } from '../options/algorithms.js';

/** A signing key, and its public half in the form that an authorization server publishes. @publicApi */
export interface TestKey {
  /** The JWS algorithm of the key. */
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The public half, with `kid`, `alg` and `use`. */
  readonly publicJwk: JWK;
}

/**
 * Makes a key for one of the asymmetric JWS algorithms. RSA keys have 2048 bits.
 *
 * @param alg - its JWS algorithm
 * @param kid - the key id; the key's RFC 7638 thumbprint if omitted
 * @throws Error for an algorithm that this package does not know
 * @publicApi
 */
export async function makeTestKey(alg = 'RS256', kid?: string): Promise<TestKey> {
  if (!SIGNATURE_ALGORITHMS.includes(alg)) {
    throw new Error(`No key can be made for "${alg}", only for ${SIGNATURE_ALGORITHMS.join(', ')}`);
  }
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const id = kid ?? (await calculateJwkThumbprint(jwk));
  return {
    alg,
    kid: id,
    privateKey: KeyObject.from(privateKey),
    publicJwk: { ...jwk, kid: id, alg, use: 'sig' },
  };
}

/**
 * The keys of one server: the published ones, and those of them that sign. A key is made when it is first needed.
 *
 * @internal
 */
export class TestKeyRing {
  readonly defaultAlg: string;
  private readonly signing = new Map<string, Promise<TestKey>>();
  private published: TestKey[] = [];
  private raw: unknown[] = [];

  constructor(keys: readonly TestKey[] = []) {
    this.defaultAlg = keys[0]?.alg ?? 'RS256';
    for (const key of keys) {
      this.published.push(key);
      if (!this.signing.has(key.alg)) this.signing.set(key.alg, Promise.resolve(key));
    }
  }

  /** Returns the key that signs with this algorithm. Makes and publishes one if there is none. */
  signingKey(alg: string): Promise<TestKey> {
    return this.signing.get(alg) ?? this.rotate(alg);
  }

  /** Publishes a new key. It signs only if no other key with this algorithm does. */
  add(alg: string): Promise<TestKey> {
    return this.signing.has(alg) ? this.publish(alg) : this.rotate(alg);
  }

  /** Publishes a new key, which signs from now on. */
  rotate(alg: string): Promise<TestKey> {
    const key = this.publish(alg);
    this.signing.set(alg, key);
    // If no key can be made, the algorithm is removed. The caller gets the error from the promise.
    key.catch(() => this.signing.delete(alg));
    return key;
  }

  /** Removes all keys that do not sign. */
  async retire(): Promise<void> {
    this.published = await Promise.all(this.signing.values());
  }

  publishRaw(members: readonly unknown[]): void {
    this.raw.push(...members);
  }

  withdrawRaw(): void {
    this.raw = [];
  }

  /** Returns the JWK Set. Raw members come first, because a careless reader takes the first key. */
  async jwks(): Promise<{ keys: unknown[] }> {
    await this.signingKey(this.defaultAlg);
    await Promise.all(this.signing.values());
    return { keys: [...this.raw, ...this.published.map(({ publicJwk }) => publicJwk)] };
  }

  private async publish(alg: string): Promise<TestKey> {
    const key = await makeTestKey(alg);
    this.published.push(key);
    return key;
  }
}
