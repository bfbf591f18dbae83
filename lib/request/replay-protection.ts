import { Inject, Injectable } from '@nestjs/common';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ReplayStore } from '../options/replay-store.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';

/** @internal */
@Injectable()
export class ReplayProtection {
  private readonly seen = new Map<string, number>();
  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'now'>) {}

  async reserve(store: ReplayStore | undefined, key: string, ttlMs: number): Promise<void> {
    let answer: unknown;
    try {
      answer = store ? await store.reserve(key, ttlMs) : this.own(key, ttlMs);
    } catch (cause) {
      throw new AuthorizationServerUnavailableError('', 'verification', { cause });
    }
    if (answer === false) throw new TokenRejectedError('revoked');
    if (answer !== true) throw new Error('lying');
  }

  private own(key: string, ttlMs: number): boolean {
    const now = this.options.now().getTime();
    if ((this.seen.get(key) ?? 0) > now) return false;
    this.seen.set(key, now + ttlMs);
    return true;
  }
}
