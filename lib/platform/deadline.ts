import { Line } from './line.js';
import { outsideRequests } from './outside-requests.js';

/** Whether a value that the application returned is a promise of any kind. @internal */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise || typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
  );
}

/** Callbacks for a promise that is awaited for a limited time. @internal */
export interface Outcome<T> {
  /** Returns the error to throw after the time limit. */
  readonly onTimeout: (ms: number) => Error;
  /** Converts the value to the result. Not called for a value after the time limit. */
  readonly onFulfilled: (value: unknown) => T | PromiseLike<T>;
  /** Returns the error to throw in place of the one that the promise was rejected with. */
  readonly onRejected: (error: unknown) => unknown;
}

/** One promise that is awaited. */
interface Waiting {
  /** As `performance.now()` counts. */
  readonly deadline: number;
  readonly expire: () => void;
}

/**
 * Awaits promises of the application, each for the same number of milliseconds at most.
 *
 * All of them share one timer: with one for each, a token seen for the first time costs 3 to 5 % more (benchmark row
 * "guard alone, first sight"). The timer does not keep the process alive.
 *
 * @internal
 */
export class SharedDeadline {
  /** In the order of their deadlines. */
  private readonly waiting = new Line<Waiting>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly ms: number) {}

  /** Awaits a promise. Makes one promise for all of it: an application that follows promises pays for each. */
  await<T>(pending: PromiseLike<unknown>, { onTimeout, onFulfilled, onRejected }: Outcome<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- applications throw what they like
        reject(error);
      };
      const place = this.waiting.enter({
        deadline: performance.now() + this.ms,
        expire: () => {
          reject(onTimeout(this.ms));
        },
      });
      this.timer ??= this.wakeIn(this.ms);
      Promise.resolve(pending).then(
        (value) => {
          if (!this.waiting.leave(place)) return; // too late
          try {
            resolve(onFulfilled(value));
          } catch (error) {
            fail(error);
          }
        },
        (error: unknown) => {
          this.waiting.leave(place);
          fail(onRejected(error));
        },
      );
    });
  }

  private wakeIn(ms: number): NodeJS.Timeout {
    return startTimer(ms, () => {
      this.timer = undefined;
      this.expireOverdue(performance.now());
    });
  }

  private expireOverdue(now: number): void {
    for (let place = this.waiting.first; place; place = this.waiting.first) {
      const { deadline, expire } = place.value;
      if (deadline > now) {
        this.timer = this.wakeIn(Math.ceil(deadline - now));
        return;
      }
      this.waiting.leave(place);
      expire();
    }
  }
}

/** When {@link withDeadline} ends work, beside its time limit. @internal */
export interface DeadlineOptions {
  /** Ends the work early, such as when the application shuts down. */
  readonly signal: AbortSignal;
  /**
   * Whether the timer keeps the process alive, so that work that hangs ends with its error. Otherwise the process may
   * end before the work does.
   *
   * @defaultValue false
   */
  readonly keepsAlive?: boolean;
}

/**
 * Runs work with a signal that is aborted after a number of milliseconds, or with another signal. If the work ignores its
 * signal, it is still awaited.
 *
 * @internal
 */
export async function withDeadline<T>(
  ms: number,
  { signal, keepsAlive = false }: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = startTimer(ms, () => {
    limit.abort(new Error('The time limit is over'));
  });
  if (keepsAlive) timer.ref();
  const end = (): void => {
    limit.abort(signal.reason);
  };
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/**
 * Awaits work until a signal is aborted, for work that may ignore the signal: a configured function, or a fetch that is not
 * the global one.
 *
 * @throws the signal's reason, or what the work throws
 * @internal
 */
export async function untilAborted<T>(signal: AbortSignal, work: T | Promise<T>): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Starts a timer that does not keep the process alive, and runs outside the async context of any request. */
function startTimer(ms: number, expire: () => void): NodeJS.Timeout {
  return outsideRequests(() => setTimeout(expire, ms)).unref();
}
