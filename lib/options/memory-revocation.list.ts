import { Logger } from '@nestjs/common';
import { isThenable } from '../platform/deadline.js';
import { type RevocationEntry, RevocationIndex } from './revocation-index.js';
import type { Revocation, RevocationList } from './revocation-list.js';
import { checkedRevocation, endOf } from './revocation-rules.js';
import type { RevocationQuery } from './mcp-auth-options.js';

/** Options of {@link MemoryRevocationList}. @publicApi */
export interface MemoryRevocationListOptions {
  /** The maximum number of revocations. With more, `revoke()` throws. @defaultValue 1000000 */
  readonly maxEntries?: number | undefined;
  /** The clock that revocations end by. @defaultValue `() => new Date()` */
  readonly now?: (() => Date) | undefined;
}

/**
 * Keeps revocations in the memory of this process, for an application of one process. A restart forgets them.
 *
 * @publicApi
 */
export class MemoryRevocationList implements RevocationList {
  private readonly index = new RevocationIndex();
  private readonly listeners = new Set<(revocation: Revocation) => unknown>();
  private readonly maxEntries: number;
  private readonly now: () => Date;

  constructor(options: MemoryRevocationListOptions = {}) {
    this.maxEntries = options.maxEntries ?? 1_000_000;
    this.now = options.now ?? (() => new Date());
  }

  /** @throws TypeError for an invalid revocation or date; an error if the list is full */
  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws must reject the promise
  async revoke(revocation: Revocation, until: Date): Promise<void> {
    this.learn({ revocation: checkedRevocation(revocation), endsAt: endOf(until) });
  }

  readonly isRevoked = (token: RevocationQuery): boolean => {
    return this.index.covers(token, this.now().getTime());
  };

  /** Errors of the function, synchronous or asynchronous, are logged. */
  onRevoked(listener: (revocation: Revocation) => void): () => void {
    const tell: (revocation: Revocation) => unknown = listener;
    const own = (revocation: Revocation): unknown => tell(revocation);
    this.listeners.add(own);
    return () => {
      this.listeners.delete(own);
    };
  }

  /** The number of revocations. Some of them may have ended. @internal */
  get size(): number {
    return this.index.size;
  }

  /** Every revocation. Some of them may have ended. @internal */
  get entries(): Iterable<RevocationEntry> {
    return this.index;
  }

  /** Adds a revocation, and tells the listeners if it is new. @internal */
  learn(entry: RevocationEntry): void {
    if (!this.index.add(entry, this.now().getTime(), this.maxEntries)) return;
    for (const listener of this.listeners) {
      try {
        const answer = listener(entry.revocation);
        if (isThenable(answer)) answer.then(undefined, reportThrown);
      } catch (error) {
        reportThrown(error);
      }
    }
  }
}

function reportThrown(error: unknown): void {
  new Logger('McpAuth').error('A listener for revocations threw', (error as Error | undefined)?.stack);
}
