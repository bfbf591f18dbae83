import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { BackgroundRetry, type Retried } from './background-retry.js';

/** Fails as long as it is told to, and may be attempted again after 10 seconds. */
class Failing implements Retried {
  attempts = 0;
  isFailing = true;

  retryInSeconds(): number | undefined {
    return this.isFailing ? 10 : undefined;
  }

  async refresh(): Promise<void> {
    this.attempts += 1;
    return this.isFailing ? Promise.reject(new Error('down')) : Promise.resolve();
  }
}

describe('BackgroundRetry', () => {
  let retry: BackgroundRetry;
  let what: Failing;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    retry = new BackgroundRetry();
    what = new Failing();
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  verifies('WAY-19', 'repeats what failed until it works, each time after its pause', async () => {
    retry.onApplicationBootstrap();
    for (let time = 0; time < 3; time += 1) retry.later(what);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(what.attempts).toBe(0);
    await vi.advanceTimersByTimeAsync(2_501);
    expect(what.attempts).toBe(1);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(what.attempts).toBeLessThanOrEqual(3);
    expect(what.attempts).toBeGreaterThanOrEqual(2);
    what.isFailing = false;
    const { attempts } = what;
    await vi.advanceTimersByTimeAsync(3_600_000);
    // It was seen to work before it was attempted again.
    expect(what.attempts).toBe(attempts);
    expect(vi.getTimerCount()).toBe(0);
    what.isFailing = true;
    retry.later(what);
    await vi.advanceTimersByTimeAsync(12_500);
    expect(what.attempts).toBe(attempts + 1);
  });

  verifies('WAY-19', 'ends with the attempt that works', async () => {
    retry.onApplicationBootstrap();
    retry.later(what);
    vi.spyOn(what, 'refresh').mockImplementation(() => {
      what.isFailing = false;
      what.attempts += 1;
      return Promise.resolve();
    });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([what.attempts, vi.getTimerCount()]).toEqual([1, 0]);
  });

  verifies('WAY-19', 'spreads the attempts of processes that failed together', () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    retry.onApplicationBootstrap();
    for (const random of [0, 0.5, 0.75]) {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      retry.later(new Failing());
    }
    expect(timers.mock.calls.map(([, ms]) => Math.round(ms ?? 0))).toEqual([10_000, 11_250, 11_875]);
  });

  it('does not spin where the next attempt may begin at once', async () => {
    what.retryInSeconds = () => (what.isFailing ? 0 : undefined);
    retry.onApplicationBootstrap();
    retry.later(what);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(what.attempts).toBeLessThanOrEqual(12);
  });

  verifies('WAY-19', 'begins once the application has started, and ends with it', async () => {
    retry.later(what);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([what.attempts, vi.getTimerCount()]).toEqual([0, 0]);
    retry.onApplicationBootstrap();
    await vi.advanceTimersByTimeAsync(12_500);
    expect(what.attempts).toBe(1);
    retry.onApplicationShutdown();
    expect(vi.getTimerCount()).toBe(0);
    retry.later(what);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([what.attempts, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it('sets no timer for an attempt that fails after the end', async () => {
    retry.onApplicationBootstrap();
    retry.later(what);
    let fail: () => void = () => undefined;
    what.refresh = () =>
      new Promise((_, reject) => {
        fail = () => {
          reject(new Error('aborted'));
        };
      });
    await vi.advanceTimersByTimeAsync(12_500);
    retry.onApplicationShutdown();
    fail();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  verifies(
    ['WAY-19', 'WAY-31'],
    'sets its timers in no async context of a request, and unreferenced',
    async () => {
      vi.useRealTimers();
      const requests = new AsyncLocalStorage<string>();
      const contexts: unknown[] = [];
      const real = setTimeout;
      // A timer keeps the context that it is set in.
      const timers = vi.spyOn(globalThis, 'setTimeout').mockImplementation((attempt) => {
        contexts.push(requests.getStore());
        return real(attempt, 1);
      });
      retry.onApplicationBootstrap();
      requests.run('a request', () => {
        retry.later(what);
      });
      await expect.poll(() => what.attempts).toBeGreaterThan(1);
      retry.onApplicationShutdown();
      expect(new Set(contexts)).toEqual(new Set([undefined]));
      const set = timers.mock.results.map(({ value }) => value as NodeJS.Timeout);
      expect(set.filter((timer) => timer.hasRef())).toEqual([]);
    },
  );
});
