import { describe, expect, it } from 'vitest';
import { TokenRefusedError } from '../errors/refusal.errors.js';
import { refusedClaims, withRefusedClaims } from './refused-claims.js';

describe('the claims of a refusal', () => {
  it('are known beside it, and not on it', () => {
    const claims = { sub: 'u1' };
    const refusal = new TokenRefusedError('expired');
    const keys = Reflect.ownKeys(refusal);
    expect(withRefusedClaims(refusal, claims)).toBe(refusal);
    expect(refusedClaims(refusal)).toBe(claims);
    expect(Reflect.ownKeys(refusal)).toEqual(keys);
  });

  it('are unknown for other errors, and for what is none', () => {
    for (const other of [new TokenRefusedError('expired'), 'expired', undefined, null]) {
      expect(refusedClaims(other)).toBeUndefined();
    }
  });
});
