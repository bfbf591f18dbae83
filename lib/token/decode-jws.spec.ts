import { randomBytes } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { decodeClaims, decodeHeader } from './decode-jws.js';

const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64url');

const orUndefined = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

describe('decoding a JWS', () => {
  it.each([
    ...['', 'e', 'e30+', '!', 'eA', encode('[]'), encode('null'), encode('1'), encode('"{}"')],
    ...[encode('{'), encode('{}}'), encode(' {}'), encode('\u00a0{}'), encode('\n\t {"a":1}'), encode('{}')],
    ...[encode('{"a":"\u00e4"}'), encode('{"__proto__":{"a":1}}'), encode('{"a":1,"a":2}')],
    encode(Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d])),
  ])('reads the part %j as jose does', (part) => {
    expect(orUndefined(() => decodeClaims(`e30.${part}.e30`))).toEqual(
      orUndefined(() => decodeJwt(`e30.${part}.e30`)),
    );
    expect(decodeHeader(`${part}.e30.e30`)).toEqual(
      orUndefined(() => decodeProtectedHeader(`${part}.e30.e30`)),
    );
  });

  const PARTS = [encode('{"a":1}'), encode('{"ab":1}'), encode('{"abc":1}')];

  /** Node leaves out of the bytes what does not belong there. */
  it.each(['=', '+', '/', ' ', '\n', '~', '!', '\u0000', '\u00e4', '\u2003', '\u{1f600}'])(
    'rejects a part with %j in it',
    (stranger) => {
      for (const part of PARTS) {
        expect(decodeHeader(`${part}.e30.e30`)).toBeDefined();
        for (let at = 0; at <= part.length; at++) {
          for (const count of [1, 2, 3, 4]) {
            const bad = part.slice(0, at) + stranger.repeat(count) + part.slice(at);
            expect(orUndefined(() => decodeClaims(`e30.${bad}.e30`))).toBeUndefined();
            expect(decodeHeader(`${bad}.e30.e30`)).toBeUndefined();
          }
        }
      }
    },
  );

  it('rejects a character that Node takes for the one of the same lower byte', () => {
    const alike = (part: string, at: number): string =>
      part.slice(0, at) + String.fromCharCode(part.charCodeAt(at) + 0x100) + part.slice(at + 1);
    for (const part of PARTS) {
      for (let at = 0; at < part.length; at++) {
        expect(Buffer.from(alike(part, at), 'base64url')).toEqual(Buffer.from(part, 'base64url'));
        expect(decodeHeader(`${alike(part, at)}.e30.e30`)).toBeUndefined();
        expect(orUndefined(() => decodeClaims(`e30.${alike(part, at)}.e30`))).toBeUndefined();
      }
    }
  });

  verifies('WAY-33', 'rejects a part with bits beyond its last byte, which jose takes', () => {
    for (const part of ['e31', 'e32', 'e33', `${encode('{"a":1}').slice(0, -1)}R`]) {
      expect(decodeProtectedHeader(`${part}.e30.e30`)).toBeTypeOf('object');
      expect(decodeHeader(`${part}.e30.e30`)).toBeUndefined();
      expect(orUndefined(() => decodeClaims(`e30.${part}.e30`))).toBeUndefined();
    }
  });

  verifies('WAY-33', 'rejects a signature in another spelling than an encoder has', () => {
    for (const bytes of ['', 'a', 'ab', 'abc', 'abcd']) {
      const signature = encode(bytes);
      expect(decodeClaims(`e30.e30.${signature}`)).toEqual({});
      const last = signature.slice(0, -1);
      const others = ['=', '==', 'A', ' ', '+', '/', '\n', '.'].map((end) => signature + end);
      if (signature.length % 4 === 2)
        others.push(`${last}${signature.endsWith('Q') ? 'R' : 'h'}`, `${last}_`);
      if (signature.length % 4 === 3) others.push(`${last}J`, `${last}-`);
      for (const other of others.filter((each) => encode(Buffer.from(each, 'base64url')) !== each)) {
        expect([other, orUndefined(() => decodeClaims(`e30.e30.${other}`))]).toEqual([other, undefined]);
      }
    }
  });

  it('takes every part that an encoder writes, and nothing else', () => {
    for (let length = 0; length < 300; length += 1) {
      const bytes = randomBytes(length);
      const signature = encode(bytes);
      expect(decodeClaims(`e30.e30.${signature}`)).toEqual({});
      const changed = Buffer.from(signature);
      if (length > 0) changed[changed.length - 1] = 33 + (length % 94);
      const other = changed.toString('latin1');
      const isCanonical = encode(Buffer.from(other, 'base64url')) === other;
      expect([other, orUndefined(() => decodeClaims(`e30.e30.${other}`)) !== undefined]).toEqual([
        other,
        isCanonical,
      ]);
    }
  });

  it.each(['', 'e30', 'e30.e30', 'e30.e30=.e30', 'e30.e30.e30.e30', 'e30.e30.e30.e30.e30', '..'])(
    'rejects %j',
    (token) => {
      expect(() => decodeClaims(token)).toThrow(new TokenRejectedError('malformed'));
    },
  );

  it('reads the header up to the first dot, another each time', () => {
    const [one, other] = [encode('{"kid":"1"}'), encode('{"kid":"2"}')];
    for (const rest of ['', '.', '.e30.e30']) {
      expect(decodeHeader(one + rest)).toEqual({ kid: '1' });
      expect(decodeHeader(other + rest)).toEqual({ kid: '2' });
      expect(decodeHeader(other + rest)).toEqual({ kid: '2' });
      expect(decodeHeader(`${other}A${rest}`)).toBeUndefined();
    }
  });
});
