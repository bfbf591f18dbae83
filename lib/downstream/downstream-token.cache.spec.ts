import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { DownstreamTokenCache } from './downstream-token.cache.js';
import { IssuedToken } from './downstream-token.js';

const expiring = (expiresAt?: number): IssuedToken => new IssuedToken('secret', [], expiresAt);

describe('DownstreamTokenCache', () => {
  verifies('DWN-05', 'keeps a token until 30 seconds before the earlier expiry, and one hour at most', () => {
    const last = (expiresAt: number | undefined, callerExpiresAt: number | undefined): number | undefined => {
      const cache = new DownstreamTokenCache(1);
      cache.set('a', expiring(expiresAt), 1000, callerExpiresAt);
      const times = Array.from({ length: 3700 }, (_, at) => 1000 + at);
      return times.filter((now) => cache.get('a', now)).at(-1);
    };
    expect(last(1300, 1200)).toBe(1169);
    expect(last(1200, 1300)).toBe(1169);
    expect(last(1300, undefined)).toBe(1269);
    expect(last(99_999, 99_999)).toBe(4599);
    for (const none of [undefined, 1000, 1030, 900, NaN]) expect(last(none, 2000)).toBeUndefined();
    expect(last(2000, 1030)).toBeUndefined();
  });

  verifies('DWN-05', 'trusts nothing when its clock is set back, or tells no time', () => {
    for (const time of [999, NaN]) {
      const cache = new DownstreamTokenCache(1);
      cache.set('a', expiring(2000), 1000);
      expect(cache.get('a', time)).toBeUndefined();
    }
  });

  verifies('DWN-19', 'evicts what was not used for the longest time', () => {
    const cache = new DownstreamTokenCache(2);
    for (const key of ['a', 'b']) cache.set(key, expiring(2000), 1000);
    cache.get('a', 1000);
    for (const key of ['c', 'c']) cache.set(key, expiring(2000), 1000);
    expect(['a', 'b', 'c'].map((key) => cache.get(key, 1000) !== undefined)).toEqual([true, false, true]);
    expect(cache.size).toBe(2);
    const none = new DownstreamTokenCache(0);
    none.set('a', expiring(2000), 1000);
    expect(none.size).toBe(0);
  });

  verifies('DWN-12', 'forgets all entries of one token', () => {
    const cache = new DownstreamTokenCache(9);
    for (const key of ['x 1', 'x 2', 'y 1']) cache.set(key, expiring(2000), 1000);
    cache.forget('x');
    expect(cache.size).toBe(1);
  });
});
