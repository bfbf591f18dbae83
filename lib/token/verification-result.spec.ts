import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { VerifiedToken } from '../options/token.verifier.js';
import { readVerificationResult } from './verification-result.js';

describe('readVerificationResult', () => {
  verifies('F79', 'takes null and undefined for a token that is not good', () => {
    expect(readVerificationResult(null)).toBeNull();
    expect(readVerificationResult(undefined)).toBeNull();
  });

  verifies('VER-01', 'takes claims, with and without what the verifier answers for', () => {
    const claims = { sub: 'u1' };
    const verified = new VerifiedToken(claims, { requiresExpiry: true });
    expect(readVerificationResult(verified)).toBe(verified);
    const bare = { audienceVerified: false, requiresExpiry: false };
    expect(readVerificationResult(claims)).toMatchObject({ claims, ...bare });
    // Claims are not the place to answer for the audience: the party that makes the token chooses them.
    const boastful = { sub: 'u1', audienceVerified: true };
    expect(readVerificationResult(boastful)).toMatchObject({ claims: boastful, ...bare });
  });

  verifies('VER-03', 'takes the word of an AuthInfo for its audience, when it is true', () => {
    const info = { clientId: 'c1', scopes: ['a'] };
    const claims = { client_id: 'c1', scope: ['a'] };
    for (const audienceVerified of [true, false, undefined, 'true', 1]) {
      expect(readVerificationResult({ ...info, audienceVerified })).toMatchObject({
        claims,
        audienceVerified: audienceVerified === true,
        requiresExpiry: false,
      });
    }
  });

  verifies('F79', 'says the type of anything else, and nothing of its value', () => {
    const returned = 'A verifier returned';
    const expected = 'expected an object with claims, or null';
    for (const [result, message] of [
      ['secret', `${returned} a value of type string; ${expected}`],
      [7, `${returned} a value of type number; ${expected}`],
      [false, `${returned} a value of type boolean; ${expected}`],
      [() => 'secret', `${returned} a value of type function; ${expected}`],
      [['secret'], `${returned} a list; ${expected}`],
      [
        new VerifiedToken('secret' as never),
        `${returned} a VerifiedToken whose claims are a value of type string`,
      ],
      [new VerifiedToken(null as never), `${returned} a VerifiedToken whose claims are null`],
      [new VerifiedToken(['secret'] as never), `${returned} a VerifiedToken whose claims are a list`],
    ] as const) {
      expect(() => readVerificationResult(result)).toThrow(new TypeError(message));
    }
  });
});
