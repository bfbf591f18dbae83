import { Logger } from '@nestjs/common';
import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { MemoryRevocationList } from './memory-revocation.list.js';
import type { Revocation } from './revocation-list.js';

const ISSUER = 'https://auth.example.com';

/** A list, its clock in milliseconds, and what its listener has heard. */
function made(maxEntries?: number) {
  const clock = { ms: 1_800_000_000_000 };
  const list = new MemoryRevocationList({ maxEntries, now: () => new Date(clock.ms) });
  const heard: Revocation[] = [];
  list.onRevoked((revocation) => heard.push(revocation));
  const revoke = (jti: string, ms = 1000): Promise<void> =>
    list.revoke({ issuer: ISSUER, jti }, new Date(clock.ms + ms));
  const isRevoked = (jti: string): boolean =>
    list.isRevoked({ issuer: ISSUER, jti, subject: undefined, clientId: '', issuedAt: undefined });
  return { list, clock, heard, revoke, isRevoked };
}

describe('MemoryRevocationList', () => {
  verifies('POP-82', 'stores no more revocations than its limit, however often it is asked', async () => {
    const { list, clock, heard, revoke, isRevoked } = made(2);
    for (const jti of ['a', 'b']) await revoke(jti);
    for (let count = 0; count < 3; count++)
      for (const jti of ['c', 'd'])
        await expect(revoke(jti)).rejects.toThrow('The list is full: it has 2 revocations');
    expect([list.size, heard.length, isRevoked('c')]).toEqual([2, 2, false]);
    await revoke('a', 2000); // prolongs
    clock.ms += 1000;
    await revoke('c');
    expect([list.size, isRevoked('a'), isRevoked('b'), isRevoked('c')]).toEqual([2, true, false, true]);
  });

  verifies('POP-82', 'stores nothing with a limit that is no number', async () => {
    await expect(made(NaN).revoke('a')).rejects.toThrow('The list is full');
  });

  verifies('POP-83', 'forgets nothing if its clock fails', async () => {
    const { clock, revoke, isRevoked, list } = made();
    await revoke('a');
    const at = clock.ms;
    clock.ms = NaN;
    expect(isRevoked('a')).toBe(true);
    for (let count = 0; count < 10; count++)
      await list.revoke({ issuer: ISSUER, jti: String(count) }, new Date(at + 1000));
    expect(isRevoked('a')).toBe(true);
  });

  verifies(
    'POP-85',
    'tells the other listeners if one throws, and a listener as often as it was added',
    async () => {
      const { list, heard, revoke } = made();
      const errors: unknown[] = [];
      Logger.overrideLogger({
        log: () => undefined,
        warn: () => undefined,
        error: (error: unknown) => errors.push(error),
      });
      const counts = { first: 0 };
      const first = (): void => {
        counts.first += 1;
        throw new Error('of a listener');
      };
      const stop = list.onRevoked(first);
      list.onRevoked(first);
      // As the type allows, functions may be asynchronous.
      const later = (): unknown => Promise.reject(new Error('of an asynchronous listener'));
      list.onRevoked(later);
      list.onRevoked((revocation) => heard.push(revocation));
      await revoke('a');
      stop();
      await revoke('b');
      await new Promise((resolve) => setImmediate(resolve));
      Logger.overrideLogger(false);
      expect([heard.length, counts.first]).toEqual([4, 3]);
      expect(errors).toEqual(Array(5).fill('A listener for revocations threw'));
    },
  );
});
