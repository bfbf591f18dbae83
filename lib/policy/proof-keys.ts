import type { CryptoKey } from 'jose';

/** Maximum number of keys. If one more arrives, the oldest is dropped. */
const MAX_KEYS = 4096;

/** A key that has verified a proof. @internal */
export interface ProofKey {
  /** The first part of the proof: algorithm, type and key, as text. */
  readonly header: string;
  readonly alg: string;
  readonly key: CryptoKey;
}

/**
 * Caches the imported keys of clients, one for each thumbprint. The header of a client's proofs is always the same text, and
 * what was checked of it need not be checked again (benchmark row "tools/call, DPoP, token seen before").
 *
 * @internal
 */
export class ProofKeys {
  private readonly keys = new Map<string, ProofKey>();

  /** Returns the key of a thumbprint, if it was added with exactly this header. */
  find(jkt: string, header: string): ProofKey | undefined {
    const known = this.keys.get(jkt);
    return known?.header === header ? known : undefined;
  }

  /** Adds a key that is allowed, has this thumbprint and has verified a proof with this header. */
  add(jkt: string, key: ProofKey): void {
    this.keys.delete(jkt);
    this.keys.set(jkt, key);
    const [oldest] = this.keys.keys();
    if (this.keys.size > MAX_KEYS && oldest !== undefined) this.keys.delete(oldest);
  }
}
