import { describe, expect, it } from 'vitest';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { rejectedClaims, withRejectedClaims } from './rejected-claims.js';

describe('the claims of a rejection', () => {
  it('are known beside it, and not on it', () => {
    const claims = { sub: 'u1' };
    const rejection = new TokenRejectedError('expired');
    const keys = Reflect.ownKeys(rejection);
    expect(withRejectedClaims(rejection, claims)).toBe(rejection);
    expect(rejectedClaims(rejection)).toBe(claims);
    expect(Reflect.ownKeys(rejection)).toEqual(keys);
  });

  it('are unknown for other errors, and for what is none', () => {
    for (const other of [new TokenRejectedError('expired'), 'expired', undefined, null]) {
      expect(rejectedClaims(other)).toBeUndefined();
    }
  });
});
