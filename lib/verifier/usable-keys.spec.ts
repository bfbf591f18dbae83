import { describe, expect, it } from 'vitest';
import { usableKeys } from './usable-keys.js';

const RSA = { kty: 'RSA', n: 'n', e: 'AQAB' };

describe('usableKeys', () => {
  it('keeps public asymmetric keys, in order', () => {
    const keys = [RSA, { kty: 'EC' }, { kty: 'OKP' }, { kty: 'AKP' }];
    expect(usableKeys(keys)).toEqual({ jwks: { keys }, skipped: 0 });
  });

  it.each([
    [{ ...RSA, d: 'private' }],
    [{ ...RSA, d: '' }],
    [{ kty: 'oct', k: 'secret' }],
    [{ kty: 'oct' }],
    [{ ...RSA, k: 'secret' }],
    [{ n: 'n' }],
    [{ kty: 7 }],
    [null],
    ['RSA'],
    [[]],
  ])('leaves %j out and counts it', (member) => {
    expect(usableKeys([member, RSA])).toEqual({ jwks: { keys: [RSA] }, skipped: 1 });
  });

  it('keeps 64 keys and not one more', () => {
    const keys = (count: number): unknown[] => Array.from({ length: count }, () => RSA);
    expect(usableKeys(keys(64)).skipped).toBe(0);
    expect(usableKeys(keys(65))).toMatchObject({ jwks: { keys: { length: 64 } }, skipped: 1 });
  });

  it('makes a set of no keys where none can be used', () => {
    expect(usableKeys([])).toEqual({ jwks: { keys: [] }, skipped: 0 });
  });
});
