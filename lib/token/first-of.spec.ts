import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import {
  AuthorizationServerUnavailableError,
  InsufficientScopeError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { SharedDeadline } from '../platform/deadline.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { VerifiedToken, type VerificationContext } from '../options/token.verifier.js';
import { composed, firstOf, partsOf } from './first-of.js';
import { runVerifier } from './run-verifier.js';

const AS = 'https://as.example';
const resource = {
  options: { resource: 'https://api.example.com/notes' },
  servers: new Map([[AS, {}]]),
} as unknown as ProtectedResource;

type Does = (token: string, context: VerificationContext) => unknown;

/** What the verifiers end in, and which of them were asked. */
async function outcome(...verifiers: Does[]): Promise<[outcome: unknown, asked: number]> {
  let asked = 0;
  const parts = verifiers.map((does) => ({
    verify: (token: string, context: VerificationContext) => {
      asked += 1;
      return does(token, context) as never;
    },
  }));
  try {
    const run = runVerifier(
      composed(parts),
      'opaque',
      resource,
      new SharedDeadline(100),
      (verified) => verified,
    );
    return [(await run).claims, asked];
  } catch (error) {
    return [error, asked];
  }
}

const accepts = (): unknown => ({ sub: 'ada' });
const later = (): unknown => Promise.resolve({ sub: 'later' });
const ignores = (): unknown => null;
const throws = (error: unknown) => (): never => {
  throw error;
};
const rejects = throws(new TokenRejectedError('expired'));
const ofSdk = throws(Object.assign(new Error('no'), { code: 'invalid_token' }));
const outage = new AuthorizationServerUnavailableError(AS, 'verification');
const fault = new TypeError('broken');
const inactive = new TokenRejectedError('inactive');

describe('firstOf', () => {
  verifies(
    'AKY-17',
    'takes the claims of the first verifier that returns some, and asks no further',
    async () => {
      expect(await outcome(accepts, later)).toEqual([{ sub: 'ada' }, 1]);
      expect(await outcome(ignores, later, accepts)).toEqual([{ sub: 'later' }, 2]);
      for (const fails of [rejects, ofSdk, throws(outage), throws(fault), throws(undefined), () => true])
        expect(await outcome(fails, accepts)).toEqual([{ sub: 'ada' }, 2]);
      const sdk = { clientId: 'c1', scopes: ['a'] };
      expect(await outcome(ignores, () => sdk)).toEqual([{ client_id: 'c1', scope: ['a'] }, 2]);
    },
  );

  verifies('AKY-17', 'keeps what a verifier guarantees', async () => {
    const verified = new VerifiedToken({ sub: 'ada' }, { cacheable: true });
    const run = composed([{ verify: () => null }, { verify: () => verified }]);
    expect(await run.verify('a', { signal: new AbortController().signal } as VerificationContext)).toBe(
      verified,
    );
  });

  verifies('AKY-17', 'rejects the token with the first reason if none returns claims', async () => {
    expect(await outcome(ignores, () => undefined)).toEqual([inactive, 2]);
    expect(await outcome(ignores, rejects)).toEqual([new TokenRejectedError('expired'), 2]);
    expect(await outcome(ofSdk, rejects)).toEqual([inactive, 2]);
    expect(await outcome(rejects, ofSdk)).toEqual([new TokenRejectedError('expired'), 2]);
  });

  verifies('AKY-17', 'never turns an outage or a fault into an invalid token', async () => {
    const failures = [ignores, rejects, ofSdk];
    for (const other of failures) {
      for (const order of [
        [throws(outage), other],
        [other, throws(outage)],
        [throws(fault), throws(outage), other],
      ])
        expect(await outcome(...order)).toEqual([outage, order.length]);
      expect(await outcome(throws(fault), other)).toEqual([fault, 2]);
      expect(await outcome(other, () => Promise.reject(fault))).toEqual([fault, 2]);
      expect(await outcome(throws(undefined), other)).toEqual([undefined, 2]);
      for (const result of [true, [], 'claims', 1])
        expect((await outcome(() => result, other))[0]).toBeInstanceOf(TypeError);
    }
    const [foreign] = await outcome(ignores, throws(new InsufficientScopeError(['a'])));
    expect(foreign).toEqual(
      new Error('A verifier threw InsufficientScopeError, which is not for it to decide'),
    );
  });

  verifies('AKY-17', 'waits no longer than one verifier may take, and asks no further then', async () => {
    const [error, asked] = await outcome(() => new Promise(() => undefined), accepts);
    expect([error, asked]).toEqual([new AuthorizationServerUnavailableError(AS, 'verification'), 1]);
    let aborted = (): void => undefined;
    const ended = new Promise<void>((resolve) => (aborted = resolve));
    const obeys: Does = async (_, { signal }) => {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      aborted();
      return null;
    };
    let count = 0;
    const [timeout] = await outcome(obeys, () => {
      count += 1;
      return { sub: 'late' };
    });
    await ended;
    await new Promise((resolve) => setImmediate(resolve));
    expect([timeout, count]).toEqual([error, 0]);
  });

  verifies('AKY-18', 'needs two verifiers', () => {
    const verify = (): null => null;
    const problem = (...verifiers: unknown[]): string => {
      try {
        firstOf(...(verifiers as never[]));
        return '';
      } catch (error) {
        expect(error).toBeInstanceOf(McpAuthConfigError);
        return (error as Error).message;
      }
    };
    expect(problem(verify, { verify })).toBe('');
    for (const none of [[], [verify]])
      expect(problem(...none)).toContain('firstOf(): needs at least two verifiers');
    for (const wrong of [undefined, null, 'a', {}, { verify: 1 }])
      expect(problem(verify, wrong)).toContain('firstOf(): argument 2 must be a class or an object');
  });

  it('returns an option and no verifier to call', () => {
    const verify = (): null => null;
    const option = firstOf(verify, { verify });
    expect(partsOf(option)).toEqual([verify, { verify }]);
    expect(partsOf(verify)).toBeUndefined();
    expect(() => option('a', {} as VerificationContext)).toThrow('use it as "verifier"');
  });
});
