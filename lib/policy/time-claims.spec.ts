import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { assertTimely } from './time-claims.js';

const NOW = 1_800_000_000;

/** Why the claims are rejected at {@link NOW}, by default without `exp` too; `authenticated` where they are not. */
function outcome(
  claims: Record<string, unknown>,
  toleranceSeconds = 0,
  nowSeconds = NOW,
  requiresExpiry = true,
  maxAgeSeconds?: number,
): string {
  try {
    const clock = { nowSeconds, toleranceSeconds };
    const end = assertTimely(claims, clock, { requiresExpiry, maxAgeSeconds });
    if (maxAgeSeconds === undefined) expect(end).toBe(claims['exp']);
    return 'authenticated';
  } catch (error) {
    if (error instanceof TokenRejectedError) return error.reason;
    throw error;
  }
}

const NO_DATES: readonly unknown[] = [
  ...[null, '', '9999999999', String(NOW), 'NaN', true, [NOW + 300], { valueOf: () => NOW + 300 }],
  ...[-1, -Infinity, Infinity, NaN, 1e308, 253_402_300_800, NOW * 1000, BigInt(NOW + 300)],
];

describe('assertTimely', () => {
  verifies(['JWT-24', 'F46'], 'wants an exp that is not over, to the second', () => {
    expect(outcome({ exp: NOW + 1 })).toBe('authenticated');
    expect(outcome({ exp: NOW + 0.5 })).toBe('authenticated');
    expect(outcome({ exp: NOW })).toBe('expired');
    expect(outcome({ exp: NOW - 1 })).toBe('expired');
    expect(outcome({ exp: 0 })).toBe('expired');
    expect(outcome({ exp: -0 })).toBe('expired');
    expect(outcome({})).toBe('time_claims');
    expect(outcome({ exp: 253_402_300_799 })).toBe('authenticated');
    for (const exp of NO_DATES) expect(outcome({ exp })).toBe('time_claims');
  });

  it('accepts a token without exp if none is required, and rejects an exp that is over or not a date', () => {
    expect(outcome({}, 0, NOW, false)).toBe('authenticated');
    expect(outcome({ iat: NOW }, 0, NOW, false)).toBe('authenticated');
    expect(outcome({ nbf: NOW + 1 }, 0, NOW, false)).toBe('not_yet_valid');
    expect(outcome({ exp: NOW }, 0, NOW, false)).toBe('expired');
    expect(outcome({}, 0, NaN, false)).toBe('expired');
    for (const exp of NO_DATES) expect(outcome({ exp }, 0, NOW, false)).toBe('time_claims');
  });

  verifies(['JWT-27', 'F47'], 'forgives a clock that is off by less than the tolerance', () => {
    expect(outcome({ exp: NOW - 30 }, 60)).toBe('authenticated');
    expect(outcome({ exp: NOW - 30 }, 31)).toBe('authenticated');
    expect(outcome({ exp: NOW - 30 }, 30)).toBe('expired');
    expect(outcome({ exp: NOW - 30 }, 10)).toBe('expired');
  });

  verifies('JWT-25', 'honours nbf, to the second', () => {
    const exp = NOW + 300;
    expect(outcome({ exp, nbf: NOW })).toBe('authenticated');
    expect(outcome({ exp, nbf: 0 })).toBe('authenticated');
    expect(outcome({ exp, nbf: NOW + 1 })).toBe('not_yet_valid');
    expect(outcome({ exp, nbf: NOW + 60 }, 60)).toBe('authenticated');
    expect(outcome({ exp, nbf: NOW + 61 }, 60)).toBe('not_yet_valid');
    for (const nbf of NO_DATES) expect(outcome({ exp, nbf })).toBe('time_claims');
  });

  verifies('JWT-26', 'rejects an iat in the future', () => {
    const exp = NOW + 7200;
    expect(outcome({ exp, iat: NOW })).toBe('authenticated');
    expect(outcome({ exp, iat: NOW + 3600 })).toBe('not_yet_valid');
    expect(outcome({ exp, iat: NOW + 5 }, 5)).toBe('authenticated');
    expect(outcome({ exp, iat: NOW + 6 }, 5)).toBe('not_yet_valid');
    expect(outcome({ exp, iat: NOW + 6, nbf: NOW }, 5)).toBe('not_yet_valid');
    for (const iat of NO_DATES) expect(outcome({ exp, iat })).toBe('time_claims');
  });

  verifies('JWT-26', 'rejects what was issued longer ago than the greatest age, to the second', () => {
    const old = (iat: unknown, maxAgeSeconds?: number, tolerance = 0): string =>
      outcome({ exp: NOW + 7200, iat }, tolerance, NOW, true, maxAgeSeconds);
    expect(old(NOW, 1)).toBe('authenticated');
    expect(old(NOW - 599, 600)).toBe('authenticated');
    expect(old(NOW - 600, 600)).toBe('too_old');
    expect(old(NOW - 604, 600, 5)).toBe('authenticated');
    expect(old(NOW - 605, 600, 5)).toBe('too_old');
    expect(old(0, 600)).toBe('too_old');
    expect(old(0)).toBe('authenticated');
    expect(old(undefined)).toBe('authenticated');
    expect(old(undefined, 600)).toBe('time_claims');
    for (const iat of NO_DATES) expect(old(iat, 600)).toBe('time_claims');
    expect(outcome({ iat: NOW - 601 }, 0, NOW, false, 600)).toBe('too_old');
    expect(outcome({ exp: NOW, iat: NOW - 601 }, 0, NOW, true, 600)).toBe('expired');
    expect(outcome({ exp: NOW + 1, iat: NOW }, 0, NaN, true, 600)).toBe('expired');
  });

  verifies(
    ['JWT-26', 'CLM-07'],
    'says from when on it rejects: at exp, or at the greatest age before it',
    () => {
      const end = (claims: Record<string, unknown>, maxAgeSeconds?: number): number | undefined =>
        assertTimely(
          claims,
          { nowSeconds: NOW, toleranceSeconds: 5 },
          { requiresExpiry: false, ...(maxAgeSeconds !== undefined && { maxAgeSeconds }) },
        );
      expect(end({ exp: NOW + 300, iat: NOW })).toBe(NOW + 300);
      expect(end({ exp: NOW + 300, iat: NOW }, 299)).toBe(NOW + 299);
      expect(end({ exp: NOW + 300, iat: NOW }, 301)).toBe(NOW + 300);
      expect(end({ iat: NOW }, 60)).toBe(NOW + 60);
      expect(end({ iat: NOW })).toBeUndefined();
      // And so it is: good in the second before, with no tolerance, and rejected from then on.
      const at = (nowSeconds: number): string =>
        outcome({ exp: NOW + 300, iat: NOW }, 0, nowSeconds, true, 299);
      expect([at(NOW + 298.9), at(NOW + 299)]).toEqual(['authenticated', 'too_old']);
    },
  );

  it('says expired before it says not yet valid', () => {
    expect(outcome({ exp: NOW - 1, nbf: NOW + 1 })).toBe('expired');
  });

  it('rejects every token while the clock gives no number', () => {
    expect(outcome({ exp: NOW + 300 }, 5, NaN)).toBe('expired');
  });
});
