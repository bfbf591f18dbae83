import { describe, expect, it } from 'vitest';
import { foundHeader, foundLength, presentedScheme, presentedToken } from './presented-token.js';

const encode = (header: object): string => Buffer.from(JSON.stringify(header)).toString('base64url');
const requestWith = (authorization?: string): object => ({ headers: { authorization } });

describe('presentedToken', () => {
  it('finds one token by either scheme, valid or not', () => {
    for (const [scheme, name] of [
      ['Bearer', 'bearer'],
      ['DPoP', 'dpop'],
    ]) {
      const request = requestWith(`${String(scheme)} abc`);
      expect([presentedScheme(request), presentedToken(request)]).toEqual([name, 'abc']);
    }
  });

  it('finds none in a request without one, with another scheme or with two, and without a request', () => {
    for (const request of [
      ...[undefined, {}, { headers: {} }],
      ...[requestWith('Basic abc'), requestWith('Bearer a, Bearer b')],
    ])
      expect([presentedScheme(request), presentedToken(request)]).toEqual([undefined, undefined]);
  });
});

describe('foundHeader', () => {
  const found = (header: object): string =>
    foundHeader('alg', requestWith(`Bearer ${encode(header)}.e30.c2ln`));

  it('repeats only values that standards define', () => {
    expect(found({ alg: 'HS256' })).toBe(', the token has "HS256"');
    expect(found({ alg: 'FORGED' })).toBe(', the token has a value that no standard defines');
    expect(found({})).toBe(', the token has no "alg"');
  });

  it('says nothing of what has no header', () => {
    expect(foundHeader('alg', requestWith('Bearer opaque'))).toBe('');
    expect(foundHeader('alg', undefined)).toBe('');
  });
});

describe('foundLength', () => {
  it('tells the length of a token, and nothing without one', () => {
    expect(foundLength(requestWith('Bearer abc'))).toBe(', the token has 3');
    expect(foundLength(undefined)).toBe('');
  });
});
