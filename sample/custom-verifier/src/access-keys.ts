import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';

/** What a key stands for. */
export interface AccessKey {
  readonly owner: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  /** Unit: seconds since the epoch. */
  readonly expiresAt: number;
}

/** Keys that people make for their programs; stands for a table of a database. Keys are kept as hashes. */
@Injectable()
export class AccessKeys {
  private readonly byHash = new Map<string, AccessKey>();

  create(key: AccessKey): string {
    const secret = `key_${randomBytes(32).toString('base64url')}`;
    this.byHash.set(hash(secret), key);
    return secret;
  }

  find(secret: string): AccessKey | undefined {
    return this.byHash.get(hash(secret));
  }

  revoke(secret: string): void {
    this.byHash.delete(hash(secret));
  }
}

export function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
