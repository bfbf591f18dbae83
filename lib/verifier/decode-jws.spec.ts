import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { TokenRefusedError } from '../errors/refusal.errors.js';
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
    ...[encode('{"a":"\u00e4"}'), encode('{"__proto__":{"a":1}}'), encode('{"a":1,"a":2}'), 'e31'],
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
    'refuses a part with %j in it',
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

  it('refuses a character that Node takes for the one of the same lower byte', () => {
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

  it.each(['', 'e30', 'e30.e30', 'e30.e30=.e30', 'e30.e30.e30.e30', 'e30.e30.e30.e30.e30', '..'])(
    'refuses %j',
    (token) => {
      expect(() => decodeClaims(token)).toThrow(new TokenRefusedError('malformed'));
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
