/** Whether somebody else's function answers later. @internal */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise || typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
  );
}

/** One answer that is waited for. */
interface Waiting {
  /** As `performance.now()` counts. */
  readonly deadline: number;
  readonly end: () => void;
}

/**
 * Waits for answers, for each the same time at most. One timer does for all of them: to set one for each answer costs
 * more than most answers. It does not keep the process alive.
 *
 * @internal
 */
export class TimeLimit {
  /** In the order of their deadlines. */
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly ms: number) {}

  /** The result of a promise, or the error that `end` gives when the time is over. */
  within(pending: PromiseLike<unknown>, end: (ms: number) => Error): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        deadline: performance.now() + this.ms,
        end: () => {
          reject(end(this.ms));
        },
      };
      this.waiting.add(waiting);
      this.timer ??= this.wake(this.ms);
      Promise.resolve(pending).then(
        (answer) => {
          this.waiting.delete(waiting);
          resolve(answer);
        },
        (error: unknown) => {
          this.waiting.delete(waiting);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- applications throw what they like
          reject(error);
        },
      );
    });
  }

  private wake(inMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.timer = undefined;
      this.endOverdue(performance.now());
    }, inMs).unref();
  }

  private endOverdue(now: number): void {
    for (const waiting of this.waiting) {
      if (waiting.deadline > now) {
        this.timer = this.wake(Math.ceil(waiting.deadline - now));
        return;
      }
      this.waiting.delete(waiting);
      waiting.end();
    }
  }
}
