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
