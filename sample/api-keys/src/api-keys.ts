import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';

/** What is stored of a key: everything but the key. */
export interface ApiKey {
  readonly id: string;
  readonly owner: string;
  readonly scopes: readonly string[];
  /** Unit: seconds since the epoch; undefined if the key does not expire. */
  readonly expiresAt: number | undefined;
}

interface StoredKey extends ApiKey {
  readonly hash: Buffer;
}

//#region store
/** API keys; stands for a table of a database. A stolen table opens nothing: it has only hashes. */
@Injectable()
export class ApiKeys {
  private readonly byId = new Map<string, StoredKey>();

  /** Returns the key, this one time, with what is stored of it. */
  create(owner: string, scopes: readonly string[], expiresAt?: number): ApiKey & { key: string } {
    const id = randomBytes(6).toString('hex');
    // 32 random bytes: an attacker cannot try them all, so a fast hash is enough. A password would need a slow one.
    const key = `nk_${id}_${randomBytes(32).toString('base64url')}`;
    this.byId.set(id, { id, owner, scopes, expiresAt, hash: hashOf(key) });
    return { id, owner, scopes, expiresAt, key };
  }

  /** Finds a key by its id, which is no secret, and compares the hash in constant time. */
  find(key: string): ApiKey | undefined {
    const [, id = ''] = /^nk_([0-9a-f]{12})_[\w-]{43}$/.exec(key) ?? [];
    const stored = this.byId.get(id);
    return stored && timingSafeEqual(hashOf(key), stored.hash) ? stored : undefined;
  }

  listOf(owner: string): readonly ApiKey[] {
    const own = [...this.byId.values()].filter((each) => each.owner === owner);
    return own.map(({ id, scopes, expiresAt }) => ({ id, owner, scopes, expiresAt }));
  }

  revoke(owner: string, id: string): boolean {
    return this.byId.get(id)?.owner === owner && this.byId.delete(id);
  }
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
//#endregion store
