import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import type { RevocationQuery } from '../options/mcp-auth-options.js';
import type { ValidatedToken } from '../policy/validate-claims.js';
import { rejectedClaims } from '../policy/rejected-claims.js';
import { RevocationCheck } from './revocation.check.js';

const token = (claims: Record<string, unknown> = { jti: 'j1', iat: 5 }): ValidatedToken => ({
  issuer: 'https://as.example',
  subject: 'u1',
  clientId: 'c1',
  scopes: [],
  expiresAt: undefined,
  audience: [],
  claims,
  confirmation: undefined,
  actor: undefined,
});

const check = (isRevoked?: (query: RevocationQuery) => unknown): RevocationCheck =>
  new RevocationCheck({ isRevoked: isRevoked as never });

/** What comes of a token, and why. */
async function outcome(isRevoked: (query: RevocationQuery) => unknown, asked = token()): Promise<unknown> {
  try {
    const result = await check(isRevoked).assertNotRevoked(asked);
    return result === asked ? 'passed' : result;
  } catch (error) {
    expect(rejectedClaims(error)).toBe(asked.claims);
    if (error instanceof TokenRejectedError) return error.reason;
    expect(error).toBeInstanceOf(AuthorizationServerUnavailableError);
    return ((error as Error).cause as Error).message;
  }
}

describe('RevocationCheck', () => {
  it('passes every token when the application has no say', () => {
    const asked = token();
    expect(check().assertNotRevoked(asked)).toBe(asked);
  });

  it('answers at once where the application does', () => {
    const asked = token();
    expect(check(() => false).assertNotRevoked(asked)).toBe(asked);
  });

  verifies('JWT-29', 'asks by what the token says, never by the token', async () => {
    const queries: unknown[] = [];
    const ask = (query: RevocationQuery): boolean => queries.push(query) < 0;
    expect(await outcome(ask)).toBe('passed');
    expect(await outcome(ask, token({ jti: 7, iat: 'x' }))).toBe('passed');
    const common = { issuer: 'https://as.example', subject: 'u1', clientId: 'c1' };
    expect(queries).toEqual([
      { ...common, jti: 'j1', issuedAt: 5 },
      { ...common, jti: undefined, issuedAt: undefined },
    ]);
  });

  verifies('JWT-29', 'rejects a revoked token, and passes none without a clear answer', async () => {
    const fault = new Error('redis is down');
    const rejecting = Promise.reject<boolean>(fault);
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- applications do it
    const rejectingWithText = Promise.reject<boolean>('text');
    rejectingWithText.catch(() => undefined); // it is looked at only later
    for (const [isRevoked, expected] of [
      [() => true, 'revoked'],
      [() => Promise.resolve(true), 'revoked'],
      [() => Promise.resolve(false), 'passed'],
      [() => ({ then: (resolve: (answer: boolean) => unknown) => resolve(false) }), 'passed'],
      [() => undefined, 'the option "isRevoked" gave a value of type undefined'],
      [() => null, 'the option "isRevoked" gave a value of type object'],
      [() => 0, 'the option "isRevoked" gave a value of type number'],
      [() => Promise.resolve('false'), 'the option "isRevoked" gave a value of type string'],
      [
        () => {
          throw fault;
        },
        'the option "isRevoked" threw: redis is down',
      ],
      [() => rejecting, 'the option "isRevoked" threw: redis is down'],
      [() => rejectingWithText, 'the option "isRevoked" threw'],
    ] as const) {
      expect(await outcome(isRevoked as never)).toBe(expected);
    }
  });

  it('waits two seconds', async () => {
    const started = performance.now();
    const expected = 'the option "isRevoked" gave no answer within 2000 ms';
    expect(await outcome(() => new Promise(() => undefined))).toBe(expected);
    expect(performance.now() - started).toBeGreaterThan(1900);
    expect(performance.now() - started).toBeLessThan(4000);
  });
});
