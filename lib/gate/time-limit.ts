import { Line } from '../platform/line.js';
import { outsideRequests } from '../platform/outside-requests.js';

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

/** What is made of an answer that comes later, or does not come. @internal */
export interface Conclusion<T> {
  /** What is thrown when the time is over. */
  readonly end: (ms: number) => Error;
  /** What an answer comes to. Not asked about one that comes too late. */
  readonly conclude: (answer: unknown) => T | PromiseLike<T>;
  /** What is thrown in place of what the answer's promise was rejected with. */
  readonly explain: (error: unknown) => unknown;
}

/**
 * Waits for answers, for each the same time at most. The timer does not keep the process alive, and belongs to no request:
 * what is done when the time is over runs in no request's context.
 *
 * One timer does for all answers. A timer for each would cost 0.5 µs with each verification, 1 % of it; benchmark row: "guard
 * alone, first sight".
 *
 * @internal
 */
export class TimeLimit {
  /** In the order of their deadlines. */
  private readonly waiting = new Line<Waiting>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly ms: number) {}

  /** What an answer comes to. One promise does for all of it: each costs, and the more where an application follows them. */
  within<T>(pending: PromiseLike<unknown>, { end, conclude, explain }: Conclusion<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- applications throw what they like
        reject(error);
      };
      const place = this.waiting.enter({
        deadline: performance.now() + this.ms,
        end: () => {
          reject(end(this.ms));
        },
      });
      this.timer ??= this.wake(this.ms);
      Promise.resolve(pending).then(
        (answer) => {
          if (!this.waiting.leave(place)) return; // too late
          try {
            resolve(conclude(answer));
          } catch (error) {
            fail(error);
          }
        },
        (error: unknown) => {
          this.waiting.leave(place);
          fail(explain(error));
        },
      );
    });
  }

  private wake(inMs: number): NodeJS.Timeout {
    return outsideRequests(() =>
      setTimeout(() => {
        this.timer = undefined;
        this.endOverdue(performance.now());
      }, inMs).unref(),
    );
  }

  private endOverdue(now: number): void {
    for (let place = this.waiting.first; place; place = this.waiting.first) {
      const { deadline, end } = place.value;
      if (deadline > now) {
        this.timer = this.wake(Math.ceil(deadline - now));
        return;
      }
      this.waiting.leave(place);
      end();
    }
  }
}
