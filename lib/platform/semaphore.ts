/** Thrown by {@link Semaphore.acquire} if the queue is full. @internal */
export class QueueFullError extends Error {}

/** A counting semaphore with a bounded queue, first come first served. @internal */
export class Semaphore {
  private readonly waiting = new Set<() => void>();

  /**
   * @param permits - how many may hold a permit at once; at least 1
   * @param maxWaiting - how many may wait for one
   */
  constructor(
    private permits: number,
    private readonly maxWaiting: number,
  ) {}

  /** How many permits nobody holds. */
  get free(): number {
    return this.permits;
  }

  /** How many wait for a permit. */
  get queued(): number {
    return this.waiting.size;
  }

  /** Whether the next one has to wait. */
  get isExhausted(): boolean {
    return this.permits === 0;
  }

  /**
   * Takes a permit, which {@link release} gives back.
   *
   * @throws {@link QueueFullError} when too many wait already; the signal's reason when it is aborted during the wait
   */
  async acquire(signal: AbortSignal): Promise<void> {
    if (!this.isExhausted) {
      this.permits -= 1;
      return;
    }
    if (this.waiting.size >= this.maxWaiting) throw new QueueFullError();
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.waiting.delete(begin);
        reject(signal.reason as Error);
      };
      this.waiting.add(begin);
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
    });
  }

  /** Releases a permit. The caller that has waited longest gets it, if any waits. */
  release(): void {
    const [begin] = this.waiting;
    if (begin) {
      this.waiting.delete(begin);
      begin();
    } else this.permits += 1;
  }
}
