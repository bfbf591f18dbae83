import { Inject, Injectable } from '@nestjs/common';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ReplayStore } from '../options/replay-store.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { SharedDeadline } from '../platform/deadline.js';
import type { ValidatedToken } from '../policy/validate-claims.js';
import { MemoryReplayStore } from './memory-replay.store.js';
import { personKey } from './principal-key.js';

/**
 * How much longer than a token or proof its reservation lasts, in seconds. The clocks of two replicas differ: one may still
 * accept what has expired for the other.
 *
 * @internal
 */
export const REPLICA_MARGIN_SECONDS = 60;

/**
 * Has a store remember what may be used only once. Without a clear answer of the store nothing passes.
 *
 * @internal
 */
@Injectable()
export class ReplayProtection {
  /** The store of every feature for which the application configures none. */
  readonly memory: MemoryReplayStore;
  private readonly deadline: SharedDeadline;

  constructor(
    @Inject(MCP_AUTH_OPTIONS)
    { now, verifierTimeoutMs }: Pick<ResolvedMcpAuthOptions, 'now' | 'verifierTimeoutMs'>,
  ) {
    this.memory = new MemoryReplayStore(now);
    this.deadline = new SharedDeadline(verifierTimeoutMs);
  }

  /**
   * Reserves a key.
   *
   * @param store - undefined for the memory of this process
   * @param key - printable ASCII of at most 200 characters: a hash with a prefix for its purpose
   * @param ttlMs - how long the key stays reserved; rounded up to whole milliseconds
   * @param token - the token that is used, or whose proof is. The store in memory limits the reservations of its person
   * @throws {@link TokenRejectedError} `replayed` if the key was reserved before
   * @throws {@link AuthorizationServerUnavailableError} if the store throws, or does not answer within `verifierTimeoutMs`
   * @throws an error, for status 500, if the answer of the store is no boolean
   */
  async reserve(
    store: ReplayStore | undefined,
    key: string,
    ttlMs: number,
    token: Pick<ValidatedToken, 'issuer' | 'subject' | 'clientId'>,
  ): Promise<void> {
    const { issuer } = token;
    const wholeMs = Math.ceil(ttlMs);
    // In a function, so that what a store throws at once rejects the promise too.
    const ask = async (): Promise<unknown> =>
      store ? store.reserve(key, wholeMs) : this.memory.reserve(key, wholeMs, personKey(token));
    await this.deadline.await(ask(), {
      onTimeout: (ms) => unavailable(issuer, `gave no answer within ${String(ms)} ms`),
      onFulfilled: assertFirst,
      onRejected: (error) => unavailable(issuer, 'threw', error),
    });
  }
}

function assertFirst(answer: unknown): void {
  if (answer === false) throw new TokenRejectedError('replayed');
  if (answer !== true) throw new Error(`The replay store gave a value of type ${typeof answer}`);
}

function unavailable(issuer: string, what: string, error?: unknown): Error {
  const detail = error instanceof Error ? `: ${error.message}` : '';
  const cause = new Error(`The replay store ${what}${detail}`, { cause: error });
  return new AuthorizationServerUnavailableError(issuer, 'replay protection', { cause });
}
