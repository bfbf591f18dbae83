import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimeLimit } from './time-limit.js';

const MS = 100;

describe('TimeLimit', () => {
  let limit: TimeLimit;

  beforeEach(() => {
    vi.useFakeTimers();
    limit = new TimeLimit(MS);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** What waiting ends in: the answer, or the message of what is thrown. */
  const wait = (pending: PromiseLike<unknown>): Promise<unknown> =>
    limit
      .within(pending, {
        end: (ms) => new Error(`nothing in ${String(ms)} ms`),
        conclude: (answer) => answer,
        explain: (error) => error,
      })
      .catch((error: unknown) => error);

  const after = (ms: number): Promise<string> =>
    new Promise((resolve) => {
      setTimeout(resolve, ms, 'answer');
    });

  const never = (): Promise<never> => new Promise(() => undefined);
  const over = new Error('nothing in 100 ms');

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
      limit
        .within(pending, {
          end: () => over,
          conclude: (answer) => {
            concluded.push(answer);
            throw new Error(`no ${String(answer)}`);
          },
          explain: (error) => new Error(`explained ${String(error)}`),
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

  it('has one timer for many, and none once it went off with nobody waiting', async () => {
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

  it('ends one that waits behind others that got their answers', async () => {
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
