import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { MemoryReplayStore } from './memory-replay.store.js';

describe('MemoryReplayStore', () => {
  /** A store, and its clock in milliseconds. */
  const made = (maxReservations?: number): { store: MemoryReplayStore; clock: { ms: number } } => {
    const clock = { ms: 1_800_000_000_000 };
    return { store: new MemoryReplayStore(() => new Date(clock.ms), maxReservations), clock };
  };

  verifies(
    'POP-43',
    'throws if it is full of reservations that have not ended, and goes on after that',
    async () => {
      const { store, clock } = made(3);
      for (const [key, ttlMs] of [
        ['a', 1000],
        ['b', 2000],
        ['c', 3000],
      ] as const)
        expect(await store.reserve(key, ttlMs)).toBe(true);
      await expect(store.reserve('d', 1000)).rejects.toThrow(
        'The replay store is full: it has 3 reservations',
      );
      expect(await store.reserve('a', 1000)).toBe(false);
      clock.ms += 999;
      await expect(store.reserve('d', 1000)).rejects.toThrow('full');
      clock.ms += 1;
      expect(await store.reserve('d', 1000)).toBe(true);
      expect(await store.reserve('b', 1000)).toBe(false);
      expect(store.state.reservations).toBe(3);
    },
  );

  verifies('POP-43', 'frees what has ended also if an older reservation has not', async () => {
    const { store, clock } = made(5);
    for (const [at, ttlMs] of [9000, 5000, 1000, 3000, 2000].entries())
      await store.reserve(String(at), ttlMs);
    for (let ended = 1; ended <= 3; ended++) {
      await expect(store.reserve('new', 9000)).rejects.toThrow('full');
      clock.ms += 1000;
      expect(await store.reserve(String(clock.ms), 9000)).toBe(true);
    }
  });

  verifies('POP-43', 'ends each reservation at its own time, in whatever order they were made', async () => {
    const { store, clock } = made();
    const begin = clock.ms;
    const ends = Array.from({ length: 500 }, (_, at) => 1 + ((at * 7919) % 500));
    for (const [at, ttlMs] of ends.entries()) await store.reserve(String(at), ttlMs);
    for (const ms of [0, 1, 250, 499]) {
      clock.ms = begin + ms;
      for (const [at, ttlMs] of ends.entries())
        if (ttlMs > ms) expect([at, ttlMs, await store.reserve(String(at), 1)]).toEqual([at, ttlMs, false]);
    }
    clock.ms = begin + 500;
    // Each call removes a few.
    for (let call = 0; call < 100; call++) await store.reserve(`new ${String(call)}`, 1000);
    expect(store.state.reservations).toBe(100);
  });

  it('keeps a key that is reserved again when its first reservation is removed', async () => {
    const { store, clock } = made();
    for (let count = 0; count < 20; count++) await store.reserve(String(count), 1);
    await store.reserve('again', 2);
    clock.ms += 2;
    expect(await store.reserve('again', 1000)).toBe(true);
    for (let count = 0; count < 20; count++) await store.reserve(`x${String(count)}`, 1000);
    expect(await store.reserve('again', 1000)).toBe(false);
  });

  verifies('POP-43', 'keeps reservations if the clock is set back, and rejects without a clock', async () => {
    const { store, clock } = made();
    await store.reserve('a', 1000);
    clock.ms -= 3_600_000;
    expect(await store.reserve('a', 1000)).toBe(false);
    clock.ms = NaN;
    await expect(store.reserve('b', 1000)).rejects.toThrow('The reservation has no valid end');
  });

  /** Reserves new keys for a holder until the store throws, and returns how many and why. */
  async function fill(store: MemoryReplayStore, holder: string): Promise<[number, string]> {
    for (let count = 0; ; count++) {
      try {
        await store.reserve(`${holder} ${String(count)} ${Math.random().toString(36)}`, 1000, holder);
      } catch (error) {
        return [count, (error as Error).message];
      }
    }
  }

  verifies('POP-80', 'gives a holder as many reservations as are free, so that some are left', async () => {
    const { store } = made(100);
    const share = (count: number, left: number): [number, string] => [
      count,
      `The replay store has ${String(count)} reservations of one holder, and ${String(left)} are left for others`,
    ];
    expect(await fill(store, 'flood')).toEqual(share(50, 50));
    expect(await fill(store, 'flood')).toEqual([0, share(50, 50)[1]]);
    expect(await fill(store, 'other')).toEqual(share(25, 25));
    expect(await store.reserve('a', 1000, 'third')).toBe(true);
    expect(await store.reserve('a', 1000, 'fourth')).toBe(false);
    expect(store.state).toEqual({ reservations: 76, maxReservations: 100, rejections: 3 });
  });

  verifies('POP-80', 'frees the share of a holder as its reservations end', async () => {
    const { store, clock } = made(10);
    for (const ttlMs of [1000, 1000, 2000, 2000, 2000])
      await store.reserve(String(Math.random()), ttlMs, 'h');
    await expect(store.reserve('x', 1000, 'h')).rejects.toThrow(
      'has 5 reservations of one holder, and 5 are',
    );
    clock.ms += 1000;
    expect(await store.reserve('x', 1000, 'h')).toBe(true);
    expect(await store.reserve('y', 1000, 'h')).toBe(true);
    await expect(store.reserve('z', 1000, 'h')).rejects.toThrow('has 5 reservations of one holder');
    clock.ms += 1000;
    expect(await fill(store, 'h')).toMatchObject([5, expect.stringContaining('5 are left')]);
    // Nothing is kept of a holder without reservations.
    for (const at of [1, 2, 3]) {
      clock.ms += 1000;
      await store.reserve(String(at), 500, `holder ${String(at)}`);
    }
    expect((Reflect.get(store, 'shares') as Map<string, unknown>).size).toBe(1);
  });

  verifies('POP-80', 'tells a replay of a holder whose share is full from a new key', async () => {
    const { store } = made(2);
    expect(await store.reserve('a', 1000, 'h')).toBe(true);
    expect(await store.reserve('a', 1000, 'h')).toBe(false);
    await expect(store.reserve('b', 1000, 'h')).rejects.toThrow('one holder');
    expect(store.state.rejections).toBe(1);
  });

  it('takes no time that is none', async () => {
    const { store } = made();
    for (const ttlMs of [0, -1, NaN, Infinity, 2_678_400_001])
      await expect(store.reserve('a', ttlMs)).rejects.toThrow('The reservation has no valid end');
    expect(store.state.reservations).toBe(0);
  });
});
