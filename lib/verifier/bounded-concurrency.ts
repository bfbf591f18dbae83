/** Too many tasks wait already. @internal */
export class QueueFullError extends Error {}

/**
 * Lets a number of tasks run at once. A number of others wait for their turn, first come first served, for as long as
 * their signal lets them; beyond those a task fails at once.
 *
 * @internal
 */
export class BoundedConcurrency {
  private running = 0;
  private readonly waiting = new Set<() => void>();

  /**
   * @param most - how many run at once; at least 1
   * @param mostWaiting - how many wait
   */
  constructor(
    private readonly most: number,
    private readonly mostWaiting: number,
  ) {}

  /** Whether the next task has to wait. */
  get isFull(): boolean {
    return this.running >= this.most;
  }

  /**
   * Runs a task when its turn has come. A task that has begun holds its place until it ends, whatever the signal says.
   *
   * @throws {@link QueueFullError} when too many wait already; the signal's reason when it is aborted before the task
   * begins; else what the task throws
   */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    if (this.isFull && this.waiting.size >= this.mostWaiting) throw new QueueFullError();
    if (this.isFull) await this.turn(signal);
    else this.running += 1;
    try {
      return await task();
    } finally {
      this.handOn();
    }
  }

  /** A place that another task hands on, so that their number stays the same. */
  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
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

  private handOn(): void {
    for (const begin of this.waiting) {
      this.waiting.delete(begin);
      begin();
      return;
    }
    this.running -= 1;
  }
}
