import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { SharedDeadline, untilAborted, withDeadline } from './deadline.js';

const MS = 100;
const over = new Error('nothing in 100 ms');

describe('SharedDeadline', () => {
  let deadline: SharedDeadline;

  beforeEach(() => {
    vi.useFakeTimers();
    deadline = new SharedDeadline(MS);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** What waiting ends in: the answer, or the message of what is thrown. */
  const wait = (pending: PromiseLike<unknown>): Promise<unknown> =>
    deadline
      .await(pending, {
        onTimeout: (ms) => new Error(`nothing in ${String(ms)} ms`),
        onFulfilled: (answer) => answer,
        onRejected: (error) => error,
      })
      .catch((error: unknown) => error);

  const after = (ms: number): Promise<string> =>
    new Promise((resolve) => {
      setTimeout(resolve, ms, 'answer');
    });

  const never = (): Promise<never> => new Promise(() => undefined);

  it('gives an answer or an error as it comes', async () => {
    const error = new Error('theirs');
    expect(await wait(Promise.resolve(7))).toBe(7);
    expect(await wait(Promise.reject(error))).toBe(error);
    const thenable = {
      then: (resolve: (value: number) => void) => {
        resolve(8);
      },
    };
    expect(await wait(thenable as PromiseLike<number>)).toBe(8);
  });

  it('throws what a conclusion throws, explains what was thrown, and concludes nothing from what comes too late', async () => {
    const concluded: unknown[] = [];
    const ask = (pending: PromiseLike<unknown>): Promise<unknown> =>
      deadline
        .await(pending, {
          onTimeout: () => over,
          onFulfilled: (answer) => {
            concluded.push(answer);
            throw new Error(`no ${String(answer)}`);
          },
          onRejected: (error) => new Error(`explained ${String(error)}`),
        })
        .catch((error: unknown) => error);
    expect(await ask(Promise.resolve('good'))).toEqual(new Error('no good'));
    expect(await ask(Promise.reject(new Error('theirs')))).toEqual(new Error('explained Error: theirs'));
    const late = ask(after(MS + 1));
    await vi.advanceTimersByTimeAsync(MS + 1);
    expect(await late).toBe(over);
    expect(concluded).toEqual(['good']);
  });

  it('gives each the same time, counted from when it was asked', async () => {
    const ends: [string, number][] = [];
    const begin = Date.now();
    const note = async (name: string, pending: Promise<unknown>): Promise<void> => {
      expect(await wait(pending)).toEqual(over);
      ends.push([name, Date.now() - begin]);
    };
    const notes = [note('first', never())];
    await vi.advanceTimersByTimeAsync(30);
    notes.push(note('second', never()), note('third', after(MS + 1)));
    await vi.advanceTimersByTimeAsync(69);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ends).toEqual([['first', 100]]);
    await vi.advanceTimersByTimeAsync(29);
    expect(ends).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all(notes);
    expect(ends).toEqual([
      ['first', 100],
      ['second', 130],
      ['third', 130],
    ]);
  });

  it('has one timer for many deadlines, and none after it went off without a waiting caller', async () => {
    const many = Array.from({ length: 50 }, () => wait(Promise.resolve(1)));
    expect(vi.getTimerCount()).toBe(1);
    await Promise.all(many);
    await wait(Promise.resolve(1));
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(MS);
    expect(vi.getTimerCount()).toBe(0);
    const pending = wait(never());
    await vi.advanceTimersByTimeAsync(MS);
    expect(await pending).toEqual(over);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends one wait behind others that got their answers', async () => {
    const answered = wait(after(10));
    const pending = wait(never());
    await vi.advanceTimersByTimeAsync(MS);
    expect(await answered).toBe('answer');
    expect(await pending).toEqual(over);
  });

  it('does not keep the process', async () => {
    vi.useRealTimers();
    const set = vi.spyOn(globalThis, 'setTimeout');
    await wait(Promise.resolve(1));
    const timers = set.mock.results.map(({ value }) => value as NodeJS.Timeout);
    expect(timers.map((timer) => timer.hasRef())).toEqual([false]);
    timers.forEach(clearTimeout);
    set.mockRestore();
  });
});

const aborted = (signal: AbortSignal): Promise<never> => untilAborted(signal, new Promise(() => undefined));
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('withDeadline', () => {
  it('leaves work its time, and ends it after that', async () => {
    const { signal } = new AbortController();
    expect(await withDeadline(1000, { signal }, () => Promise.resolve('done'))).toBe('done');
    await expect(withDeadline(20, { signal }, aborted)).rejects.toThrow('The time limit is over');
  });

  verifies(
    'OPS-10',
    'ends all at once, and keeps the process alive only where that is asked for',
    async () => {
      const shutdown = new AbortController();
      const { signal } = shutdown;
      const before = timers();
      const quiet = withDeadline(60_000, { signal }, aborted);
      expect(timers()).toBe(before);
      const loud = withDeadline(60_000, { signal, keepsAlive: true }, aborted);
      expect(timers()).toBe(before + 1);
      shutdown.abort(new Error('The application has ended'));
      await expect(quiet).rejects.toThrow('The application has ended');
      await expect(loud).rejects.toThrow('The application has ended');
      expect(timers()).toBe(before);
      await expect(withDeadline(60_000, { signal }, aborted)).rejects.toThrow('The application has ended');
    },
  );
});

describe('untilAborted', () => {
  it('gives what the work gives, waiting or not', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(signal, 1)).toBe(1);
    expect(await untilAborted(signal, Promise.resolve(2))).toBe(2);
    await expect(untilAborted(signal, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('rejects with the reason of the signal', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(controller.signal, new Promise(() => undefined));
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
