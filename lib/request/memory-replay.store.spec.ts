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
      expect(store.size).toBe(3);
    },
  );

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
    expect(store.size).toBe(100);
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

  it('takes no time that is none', async () => {
    const { store } = made();
    for (const ttlMs of [0, -1, NaN, Infinity, 2_678_400_001])
      await expect(store.reserve('a', ttlMs)).rejects.toThrow('The reservation has no valid end');
    expect(store.size).toBe(0);
  });
});
