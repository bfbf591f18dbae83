import { deepStrictEqual, rejects, strictEqual } from 'node:assert';
import { MAX_REPLAY_KEY_LENGTH, MAX_REPLAY_TTL_MS, type ReplayStore } from '../options/replay-store.js';
import { type ContractSubject, type ContractTest, contractTest, fresh } from './contract-test.js';

/** What {@link replayStoreContract} tests. @publicApi */
export interface ReplayStoreSubject extends ContractSubject {
  readonly store: ReplayStore;
  /** The same store as another process has it: with a connection of its own. @defaultValue `store` */
  readonly replica?: ReplayStore | undefined;
}

type Test = Parameters<typeof contractTest<ReplayStoreSubject>>[2];

/** Long enough for every test. */
const LONG_MS = 60_000;

/** More than a cache that evicts would hold. */
const MANY = 2000;

const TESTS: Readonly<Record<string, Test>> = {
  'reserves a key that is free, and tells so by the boolean true': async ({ store }) => {
    strictEqual(await store.reserve(fresh(), LONG_MS), true);
  },

  'does not reserve a key again, at no replica, and tells so by the boolean false': async (subject, wait) => {
    const { store, replica = store } = subject;
    const key = fresh();
    await store.reserve(key, LONG_MS);
    strictEqual(await store.reserve(key, LONG_MS), false);
    strictEqual(await replica.reserve(key, LONG_MS), false);
    strictEqual(await replica.reserve(key, 1), false);
    await wait(50);
    strictEqual(
      await store.reserve(key, LONG_MS),
      false,
      'a shorter time does not end the first reservation',
    );
  },

  'gives one of many calls at the same time true, whatever replica they are at': async (subject) => {
    const { store, replica = store } = subject;
    for (let round = 0; round < 5; round++) {
      const key = fresh();
      const calls = Array.from({ length: 100 }, (_, at) => (at % 2 ? store : replica).reserve(key, LONG_MS));
      const answers = await Promise.all(calls);
      strictEqual(answers.filter((answer) => answer).length, 1, 'one call of 100 reserves the key');
    }
  },

  'tells keys apart that differ in one character, up to the greatest length': async ({ store }) => {
    const unique = fresh();
    const long = unique.padEnd(MAX_REPLAY_KEY_LENGTH - 1, 'k');
    const printable = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at));
    const keys = [`${unique}a`, `${unique}A`, unique, `${long}1`, `${long}2`];
    for (const key of [...keys, ...printable.map((character) => `${unique}:${character}`)])
      strictEqual(await store.reserve(key, LONG_MS), true, 'another key is free');
    strictEqual(await store.reserve(`${long}2`, LONG_MS), false);
  },

  'keeps a key reserved until its time is over': async ({ store }, wait) => {
    const key = fresh();
    await store.reserve(key, 1900); // a store that counts whole seconds ends it too early
    await wait(1200);
    strictEqual(await store.reserve(key, 1900), false);
  },

  'frees a key when its time is over': async ({ store, replica = store }, wait) => {
    const key = fresh();
    await store.reserve(key, 100);
    await wait(300);
    strictEqual(await replica.reserve(key, LONG_MS), true);
    strictEqual(await store.reserve(key, LONG_MS), false);
  },

  'does not prolong a reservation by a call that gets false': async ({ store }, wait) => {
    const key = fresh();
    await store.reserve(key, 300);
    strictEqual(await store.reserve(key, LONG_MS), false);
    await wait(600);
    strictEqual(await store.reserve(key, LONG_MS), true);
  },

  'takes the shortest and the longest time': async ({ store }, wait) => {
    const [short, long] = [fresh(), fresh()];
    strictEqual(await store.reserve(short, 1), true);
    strictEqual(await store.reserve(long, MAX_REPLAY_TTL_MS), true);
    await wait(50);
    deepStrictEqual([await store.reserve(short, LONG_MS), await store.reserve(long, LONG_MS)], [true, false]);
  },

  'forgets no reservation for others that follow; a full store throws': async ({ store }) => {
    const first = fresh();
    await store.reserve(first, LONG_MS);
    try {
      for (let count = 0; count < MANY; count += 100)
        await Promise.all(Array.from({ length: 100 }, () => store.reserve(fresh(), LONG_MS)));
    } catch {
      await rejects(store.reserve(fresh(), LONG_MS));
    }
    strictEqual(await store.reserve(first, LONG_MS), false);
  },
};

/**
 * Returns the tests of the contract of `ReplayStore`, for any test runner. They take some seconds, unless `wait` sets a
 * clock. Their keys are random, so a store may be used by several runs.
 *
 * They do not test what a store does while its database is away: it must throw then, and within a time limit.
 *
 * @param create - makes what one test gets
 * @publicApi
 */
export function replayStoreContract(
  create: () => ReplayStoreSubject | Promise<ReplayStoreSubject>,
): readonly ContractTest[] {
  return Object.entries(TESTS).map(([name, test]) => contractTest(create, name, test));
}
