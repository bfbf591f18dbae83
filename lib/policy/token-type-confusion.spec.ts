import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { isNotAnAccessToken } from './token-type-confusion.js';

describe('isNotAnAccessToken', () => {
  verifies('JWT-08', 'knows ID tokens, event tokens and proofs by their claims', () => {
    for (const claim of ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'htm', 'htu']) {
      for (const value of ['x', '', null, {}])
        expect(isNotAnAccessToken({ sub: 'u1', [claim]: value })).toBe(true);
      expect(isNotAnAccessToken({ sub: 'u1', [`${claim}x`]: 'x', [claim.toUpperCase()]: 'x' })).toBe(false);
    }
  });

  verifies('JWT-08', 'knows the marks of Cognito and Keycloak', () => {
    expect(isNotAnAccessToken({ token_use: 'id' })).toBe(true);
    expect(isNotAnAccessToken({ token_use: 'access' })).toBe(false);
    for (const typ of ['ID', 'Refresh', 'Offline', 'Logout']) expect(isNotAnAccessToken({ typ })).toBe(true);
    for (const typ of ['Bearer', 'DPoP', undefined, 7, ['ID']])
      expect(isNotAnAccessToken({ typ })).toBe(false);
  });

  it('is not misled by a prototype key', () => {
    expect(isNotAnAccessToken(JSON.parse('{"__proto__": {"nonce": "x", "token_use": "id"}}') as never)).toBe(
      false,
    );
  });
});
