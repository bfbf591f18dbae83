import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import type { ReplayStore } from '../options/replay-store.js';
import { ReplayProtection } from './replay-protection.js';

const ISSUER = 'https://as.example';
const TOKEN = { issuer: ISSUER, subject: 'ada', clientId: 'app' };

/** What comes of a reservation by a store that behaves like this. */
async function outcome(reserve: (key: string, ttlMs: number) => unknown): Promise<unknown> {
  const protection = new ReplayProtection({ now: () => new Date(), verifierTimeoutMs: 100 });
  try {
    await protection.reserve({ reserve } as ReplayStore, 'key', 1000.2, TOKEN);
    return 'reserved';
  } catch (error) {
    if (error instanceof TokenRejectedError) return error.reason;
    if (!(error instanceof AuthorizationServerUnavailableError)) return (error as Error).message;
    expect(error).toMatchObject({ issuer: ISSUER, missing: 'replay protection' });
    return (error.cause as Error).message;
  }
}

describe('ReplayProtection', () => {
  verifies('POP-44', 'lets nothing pass without a clear answer of the store', async () => {
    const wrong = (type: string): string => `The replay store gave a value of type ${type}`;
    for (const [answer, expected] of [
      [true, 'reserved'],
      [false, 'replayed'],
      [undefined, wrong('undefined')],
      [null, wrong('object')],
      [1, wrong('number')],
      [0, wrong('number')],
      ['OK', wrong('string')],
      [{}, wrong('object')],
    ] as const) {
      expect(await outcome(() => answer)).toBe(expected);
      expect(await outcome(() => Promise.resolve(answer))).toBe(expected);
    }
  });

  verifies('POP-45', 'is unavailable if the store throws or does not answer in time', async () => {
    const fail = (): never => {
      throw new Error('no connection');
    };
    expect(await outcome(fail)).toBe('The replay store threw: no connection');
    expect(await outcome(() => Promise.reject(new Error('is full')))).toBe('The replay store threw: is full');
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- stores in plain JavaScript do it
    expect(await outcome(() => Promise.reject('text'))).toBe('The replay store threw');
    expect(await outcome(() => new Promise(() => undefined))).toBe(
      'The replay store gave no answer within 100 ms',
    );
  });

  it('asks for a whole number of milliseconds, and has a store of its own', async () => {
    const asked: unknown[] = [];
    await outcome((...args) => asked.push(args) > 0);
    expect(asked).toEqual([['key', 1001]]);
    const protection = new ReplayProtection({ now: () => new Date(), verifierTimeoutMs: 100 });
    await protection.reserve(undefined, 'key', 1000, TOKEN);
    await expect(protection.reserve(undefined, 'key', 1000, TOKEN)).rejects.toThrow('replayed');
    await protection.reserve(undefined, 'other', 1000, TOKEN);
  });

  verifies(
    'POP-80',
    'counts what a person reserves with all clients, and no other person or issuer',
    async () => {
      const protection = new ReplayProtection({ now: () => new Date(), verifierTimeoutMs: 1000 });
      const half = protection.memory.state.maxReservations / 2;
      for (let count = 0; count < half; count++)
        await protection.memory.reserve(String(count), 60_000, JSON.stringify([ISSUER, 'ada']));
      let count = 0;
      const reserve = (token: Partial<typeof TOKEN>): Promise<void> =>
        protection.reserve(undefined, `new ${String(count++)}`, 60_000, { ...TOKEN, ...token });
      for (const clientId of ['app', 'other', ''])
        await expect(reserve({ clientId })).rejects.toMatchObject({
          missing: 'replay protection',
          cause: { message: expect.stringContaining('of one holder') as string },
        });
      for (const token of [{ subject: 'bob' }, { issuer: `${ISSUER}/` }, { subject: undefined }])
        await reserve(token as Partial<typeof TOKEN>);
      expect(protection.memory.state).toEqual({
        reservations: half + 3,
        maxReservations: 2 * half,
        rejections: 3,
      });
    },
  );
});
