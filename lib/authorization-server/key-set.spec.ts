import { errors } from 'jose';
import { describe, expect, it } from 'vitest';
import { makeKey } from '../../test/fixtures/keys.js';
import { KeySet, usableKeys } from './key-set.js';

const JWS = { payload: '', signature: '' };

describe('KeySet', () => {
  it('has a key at hand once it was found, for the same algorithm and key id', async () => {
    const [rsa, ec] = [await makeKey('RS256', 'a'), await makeKey('ES256', 'b')];
    const ofAnyAlgorithm = { ...rsa.publicJwk };
    delete ofAnyAlgorithm.alg;
    const keys = new KeySet({ keys: [ofAnyAlgorithm, ec.publicJwk] });
    const header = { alg: 'RS256', kid: 'a' };
    expect(keys.atHand(header)).toBeUndefined();
    const key = await keys.keyFor(header, JWS);
    expect(key.algorithm.name).toBe('RSASSA-PKCS1-v1_5');
    expect(keys.atHand({ ...header, typ: 'JWT' })).toBe(key);
    for (const near of [{ alg: 'RS256' }, { ...header, kid: 'A' }, { ...header, kid: undefined }]) {
      expect(keys.atHand(near)).toBeUndefined();
    }
    for (const near of [{ kid: 'a' }, { ...header, alg: 'RS384' }, { ...header, alg: 'PS256' }]) {
      expect(keys.atHand(near)).toBeUndefined();
    }
    // The same key for another algorithm is another key to Web Crypto.
    const other = await keys.keyFor({ alg: 'RS384', kid: 'a' }, JWS);
    expect(other.algorithm).toMatchObject({ hash: { name: 'SHA-384' } });
    expect(keys.atHand({ alg: 'RS384', kid: 'a' })).toBe(other);
    expect(keys.atHand(header)).toBe(key);
    const second = await keys.keyFor({ alg: 'ES256', kid: 'b' }, JWS);
    expect([keys.atHand({ alg: 'ES256', kid: 'b' }), keys.atHand(header)]).toEqual([second, key]);
  });

  it('has nothing at hand for a header that does not single one out', async () => {
    const [one, two] = [await makeKey('ES256', 'same'), await makeKey('ES256', 'same')];
    const keys = new KeySet({ keys: [one.publicJwk, two.publicJwk] });
    for (const [header, error] of [
      [{ alg: 'ES256', kid: 'same' }, errors.JWKSMultipleMatchingKeys],
      [{ alg: 'ES256' }, errors.JWKSMultipleMatchingKeys],
      [{ alg: 'ES256', kid: 'other' }, errors.JWKSNoMatchingKey],
      [{ alg: 'none', kid: 'same' }, errors.JOSENotSupported],
    ] as const) {
      await expect(keys.keyFor(header, JWS)).rejects.toBeInstanceOf(error);
      expect(keys.atHand(header)).toBeUndefined();
    }
  });

  it('does not take a key without an id for the one of a header with an id', async () => {
    const { publicJwk } = await makeKey('ES256');
    delete publicJwk.kid;
    const keys = new KeySet({ keys: [publicJwk] });
    const key = await keys.keyFor({ alg: 'ES256' }, JWS);
    expect(keys.atHand({ alg: 'ES256' })).toBe(key);
    expect(keys.atHand({ alg: 'ES256', kid: 'undefined' })).toBeUndefined();
    await expect(keys.keyFor({ alg: 'ES256', kid: 'undefined' }, JWS)).rejects.toThrow();
  });
});

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
