import { describe, expect, it } from 'vitest';
import { TestClock } from '../../test/fixtures/clock.js';
import { verifies } from '../../test/verifies.js';
import type { ReplayStore } from '../options/replay-store.js';
import { MemoryReplayStore } from '../request/memory-replay.store.js';
import { replayStoreContract } from './replay-store.contract.js';

/** A store whose clock the tests set. */
type Make = (clock: TestClock) => ReplayStore;

function contractOf(make: Make): ReturnType<typeof replayStoreContract> {
  return replayStoreContract(() => {
    const clock = new TestClock();
    clock.stop();
    const wait = (ms: number): void => {
      clock.forward(ms / 1000);
    };
    return { store: make(clock), wait };
  });
}

/** The names of the tests that a store fails. */
async function failedBy(make: Make): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of contractOf(make)) await run().catch(() => failed.push(name));
  return failed;
}

/** A correct store in a few lines; each wrong one changes one of them. */
function simple(
  clock: TestClock,
  change: Partial<Record<'prolongs' | 'shortens' | 'forgets' | 'folds', boolean>> = {},
): ReplayStore {
  const ends = new Map<string, number>();
  return {
    reserve: (given, ttlMs) => {
      const key = change.folds ? given.toLowerCase() : given;
      const now = clock.now().getTime();
      const isReserved = (ends.get(key) ?? 0) > now;
      if (!isReserved || change.prolongs) ends.set(key, now + ttlMs);
      else if (change.shortens) ends.set(key, Math.min(ends.get(key) ?? 0, now + ttlMs));
      if (change.forgets && ends.size > 1000) ends.delete([...ends.keys()][0] ?? '');
      return Promise.resolve(!isReserved);
    },
  };
}

describe('replayStoreContract()', () => {
  describe('of the store in memory', () => {
    for (const { name, run } of contractOf(({ now }) => new MemoryReplayStore(now)))
      verifies('POP-41', name, run);
  });

  it('passes a store that throws when it is full', async () => {
    expect(await failedBy(({ now }) => new MemoryReplayStore(now, 1500))).toEqual([]);
    expect(await failedBy((clock) => simple(clock))).toEqual([]);
  });

  verifies('POP-42', 'fails a store that looks and reserves in two steps', async () => {
    const used = new Set<string>();
    const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const reserve = async (key: string): Promise<boolean> => {
      const isFree = !used.has(key);
      await pause();
      used.add(key);
      return isFree;
    };
    expect(await failedBy(() => ({ reserve }))).toContain(
      'gives one of many calls at the same time true, whatever replica they are at',
    );
  });

  verifies(
    'POP-42',
    'fails stores that always, never or not by a boolean say that a key is free',
    async () => {
      for (const answer of [true, false, 1, 'OK', undefined])
        expect(await failedBy(() => ({ reserve: () => Promise.resolve(answer as boolean) }))).not.toEqual([]);
      const words = (clock: TestClock): ReplayStore => {
        const store = simple(clock);
        return { reserve: async (key, ttlMs) => ((await store.reserve(key, ttlMs)) ? 'OK' : null) as never };
      };
      expect(await failedBy(words)).not.toEqual([]);
    },
  );

  verifies(
    'POP-42',
    'fails stores that forget early or late, prolong, or take keys for one another',
    async () => {
      const first = (clock: TestClock, times: number): ReplayStore => {
        const store = simple(clock);
        return { reserve: (key, ttlMs) => store.reserve(key, ttlMs * times) };
      };
      const wrong: readonly [Make, string][] = [
        [
          (clock) => simple(clock, { forgets: true }),
          'forgets no reservation for others that follow; a full store throws',
        ],
        [(clock) => first(clock, 0.1), 'keeps a key reserved until its time is over'],
        [(clock) => first(clock, 0.5), 'keeps a key reserved until its time is over'],
        [
          (clock) => {
            const store = simple(clock);
            const whole = (ttlMs: number): number => Math.max(1000, Math.floor(ttlMs / 1000) * 1000);
            return { reserve: (key, ttlMs) => store.reserve(key, whole(ttlMs)) };
          },
          'keeps a key reserved until its time is over',
        ],
        [(clock) => first(clock, 1e6), 'frees a key when its time is over'],
        [
          (clock) => {
            const store = simple(clock);
            return { reserve: (key) => store.reserve(key, 60_000) };
          },
          'frees a key when its time is over',
        ],
        [
          (clock) => simple(clock, { shortens: true }),
          'does not reserve a key again, at no replica, and tells so by the boolean false',
        ],
        [
          (clock) => simple(clock, { prolongs: true }),
          'does not prolong a reservation by a call that gets false',
        ],
        [
          (clock) => simple(clock, { folds: true }),
          'tells keys apart that differ in one character, up to the greatest length',
        ],
        [
          (clock) => {
            const store = simple(clock);
            return { reserve: (key, ttlMs) => store.reserve(key.slice(0, 128), ttlMs) };
          },
          'tells keys apart that differ in one character, up to the greatest length',
        ],
      ];
      for (const [make, name] of wrong) expect(await failedBy(make)).toContain(name);
    },
  );

  verifies('POP-42', 'fails replicas that share nothing', async () => {
    const failed: string[] = [];
    const create = () => ({
      store: simple(new TestClock()),
      replica: simple(new TestClock()),
      wait: () => undefined,
    });
    for (const { name, run } of replayStoreContract(create)) await run().catch(() => failed.push(name));
    expect(failed).toContain(
      'does not reserve a key again, at no replica, and tells so by the boolean false',
    );
  });

  it('closes what a test was given, whatever its result', async () => {
    let open = 0;
    const create = (store: ReplayStore) => () => {
      open += 1;
      return { store, wait: () => undefined, close: () => (open -= 1) };
    };
    for (const { run } of replayStoreContract(create(simple(new TestClock()))))
      await run().catch(() => undefined);
    expect(open).toBe(0);
  });
});
