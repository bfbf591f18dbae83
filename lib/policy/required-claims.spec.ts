import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { PROFILE_CLAIMS } from '../token/profile-claims.js';
import { assertRequiredClaims } from './required-claims.js';

const { lenient, rfc9068 } = PROFILE_CLAIMS;

const FULL = { iss: 'https://as.example', exp: 2, aud: ['a'], sub: 'u1', client_id: 'c1', iat: 1, jti: 'j1' };

const check = (claims: Record<string, unknown>, required?: readonly string[]) => (): void => {
  assertRequiredClaims(claims, required);
};

describe('assertRequiredClaims', () => {
  verifies('JWT-28', 'wants every claim of the profile of RFC 9068', () => {
    expect(check(FULL, rfc9068)).not.toThrow();
    expect(rfc9068).toEqual(Object.keys(FULL));
    for (const name of rfc9068) {
      for (const value of [undefined, null]) {
        expect(check({ ...FULL, [name]: value }, rfc9068)).toThrow('Access token rejected: missing_claim');
      }
    }
    expect(check({}, lenient)).not.toThrow();
    expect(check({})).not.toThrow();
  });

  verifies('JWT-28', 'takes for a name only a text that is not empty', () => {
    for (const name of ['iss', 'sub', 'client_id', 'jti']) {
      expect(check({ ...FULL, [name]: 'x' }, rfc9068)).not.toThrow();
      for (const value of ['', 7, true, ['x'], {}]) {
        expect(check({ ...FULL, [name]: value }, rfc9068)).toThrow('missing_claim');
      }
    }
    expect(check({ ...FULL, client_id: undefined, azp: 'c1' }, rfc9068)).toThrow('missing_claim');
  });

  it('wants what a verifier of the application wants, whatever its value', () => {
    for (const tenant of ['t', '', 0, false, {}]) expect(check({ tenant }, ['tenant'])).not.toThrow();
    for (const tenant of [undefined, null]) expect(check({ tenant }, ['tenant'])).toThrow('missing_claim');
    expect(check({}, ['constructor'])).toThrow('missing_claim');
    expect(check(JSON.parse('{"__proto__": {"jti": "j1"}}') as never, ['jti'])).toThrow('missing_claim');
  });
});
