import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { IntrospectionCache } from './introspection-cache.js';

const OPTIONS = { maxAgeSeconds: 30, negativeMaxAgeSeconds: 5, maxEntries: 2 };
const ACTIVE = { active: true, exp: 2000 };

const cacheWith = (options: Partial<typeof OPTIONS> = {}): IntrospectionCache =>
  new IntrospectionCache({ ...OPTIONS, ...options });

describe('IntrospectionCache', () => {
  verifies(['OPQ-09', 'F83'], 'keeps what is active for its age and never past its expiry', () => {
    const cache = cacheWith();
    cache.set('a', ACTIVE, 1000);
    expect(cache.get('a', 1029.9)).toBe(ACTIVE);
    expect(cache.get('a', 1030)).toBeUndefined();
    cache.set('a', ACTIVE, 1990);
    expect(cache.get('a', 1999.9)).toBe(ACTIVE);
    expect(cache.get('a', 2000)).toBeUndefined();
    cache.set('a', ACTIVE, 2000);
    expect(cache.size).toBe(0);
  });

  verifies('OPQ-13', 'keeps nothing without an expiry, or with one that is no number', () => {
    const cache = cacheWith();
    for (const exp of [undefined, null, '2000', NaN]) cache.set('a', { active: true, exp }, 1000);
    expect(cache.size).toBe(0);
  });

  verifies('OPQ-09', 'keeps what is not active for another time, or not at all', () => {
    const cache = cacheWith();
    cache.set('a', null, 1000);
    expect(cache.get('a', 1004.9)).toBeNull();
    expect(cache.get('a', 1005)).toBeUndefined();
    const positive = cacheWith({ negativeMaxAgeSeconds: 0 });
    positive.set('a', null, 1000);
    expect(positive.size).toBe(0);
  });

  it('forgets an answer that was followed by one that is not kept', () => {
    const cache = cacheWith();
    cache.set('a', ACTIVE, 1000);
    cache.set('a', { active: true }, 1001);
    expect(cache.get('a', 1001)).toBeUndefined();
  });

  it('trusts nothing when its clock is set back, or tells no time', () => {
    for (const time of [999, NaN]) {
      const cache = cacheWith();
      cache.set('a', ACTIVE, 1000);
      expect(cache.get('a', time)).toBeUndefined();
    }
    const cache = cacheWith();
    cache.set('a', ACTIVE, NaN);
    expect(cache.size).toBe(0);
  });

  verifies('OPQ-09', 'makes room by what was not used for the longest time', () => {
    const cache = cacheWith();
    cache.set('a', ACTIVE, 1000);
    cache.set('b', ACTIVE, 1000);
    cache.get('a', 1001);
    cache.set('c', ACTIVE, 1001);
    expect(['a', 'b', 'c'].map((key) => cache.get(key, 1002))).toEqual([ACTIVE, undefined, ACTIVE]);
    expect(cache.size).toBe(2);
  });

  verifies('WAY-14', 'makes room among answers of the same kind', () => {
    const cache = cacheWith();
    cache.set('a', ACTIVE, 1000);
    cache.set('b', ACTIVE, 1000);
    for (const key of ['x', 'y', 'z']) cache.set(key, null, 1000);
    expect(['a', 'b', 'x', 'y', 'z'].map((key) => cache.get(key, 1001))).toEqual([
      ...[ACTIVE, ACTIVE],
      ...[undefined, null, null],
    ]);
    expect(cache.size).toBe(4);
    for (const key of ['c', 'd']) cache.set(key, ACTIVE, 1001);
    expect(['a', 'b', 'c', 'd', 'y', 'z'].map((key) => cache.get(key, 1002))).toEqual([
      ...[undefined, undefined, ACTIVE, ACTIVE],
      ...[null, null],
    ]);
    // An answer takes the place of one of the other kind.
    cache.set('c', null, 1002);
    cache.set('y', ACTIVE, 1002);
    expect([cache.get('c', 1003), cache.get('y', 1003), cache.size]).toEqual([null, ACTIVE, 4]);
  });
});
