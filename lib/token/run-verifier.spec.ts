import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifies } from '../../test/verifies.js';
import {
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientScopeError,
  MessageRejectedError,
  RequestOriginRejectedError,
  TenantRejectedError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { SharedDeadline } from '../platform/deadline.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { VerifiedToken, type VerificationContext, type VerifyToken } from '../options/token.verifier.js';
import { runVerifier } from './run-verifier.js';

const AS = 'https://as.example';
const LIMIT_MS = 100;
const CLAIMS = { iss: AS, sub: 'u1' };

const resource = {
  options: { resource: 'https://api.example.com/notes' },
  servers: new Map([[AS, {}]]),
} as unknown as ProtectedResource;

const ask = async (verify: VerifyToken): Promise<VerifiedToken> =>
  runVerifier({ verify }, 'opaque', resource, new SharedDeadline(LIMIT_MS), (verified) => verified);

/** What asking ends in: the claims, or what is thrown. */
async function outcome(verify: (...args: Parameters<VerifyToken>) => unknown): Promise<unknown> {
  try {
    return (await ask(verify as VerifyToken)).claims;
  } catch (error) {
    return error;
  }
}

/** A verifier that throws, now and later. */
const throwing = (error: unknown): VerifyToken[] => [
  () => {
    throw error;
  },
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- verifiers throw what they like
  () => Promise.reject(error),
];

describe('runVerifier', () => {
  verifies(['VER-01', 'F77'], 'takes a result now or later, of any promise', async () => {
    const thenable = {
      then(resolve: (claims: object) => void): void {
        resolve(CLAIMS);
      },
    };
    for (const result of [CLAIMS, Promise.resolve(CLAIMS), thenable, new VerifiedToken(CLAIMS)]) {
      expect(await outcome(() => result)).toBe(CLAIMS);
    }
  });

  verifies(['VER-01', 'F79'], 'rejects the token for null and undefined', async () => {
    for (const none of [null, undefined]) {
      expect(await outcome(() => none)).toMatchObject({ reason: 'inactive' });
      expect(await outcome(() => Promise.resolve(none))).toMatchObject({ reason: 'inactive' });
    }
  });

  verifies(['VER-01', 'F79'], 'passes on rejections, outages and faults as they are', async () => {
    const rejected = new TokenRejectedError('signature');
    const outage = new AuthorizationServerUnavailableError(AS, 'verification');
    for (const error of [rejected, outage, new Error('ours'), 'a text', undefined, null, 7]) {
      for (const verify of throwing(error)) expect(await outcome(verify)).toBe(error);
    }
  });

  verifies(['VER-01', 'F86'], 'takes the errors of the SDK for a bad token as a rejection', async () => {
    const bad = [{ code: 'invalid_token' }, { errorCode: 'invalid_token' }];
    for (const error of bad.map((members) => Object.assign(new Error('secret'), members))) {
      for (const verify of throwing(error)) {
        expect(await outcome(verify)).toEqual(new TokenRejectedError('inactive', { cause: error }));
      }
    }
    for (const near of [
      Object.assign(new Error(), { code: 'invalid_tokens' }),
      Object.assign(new Error(), { errorCode: 'server_error' }),
      { code: 'invalid_token' },
    ]) {
      for (const verify of throwing(near)) expect(await outcome(verify)).toBe(near);
    }
  });

  verifies('F79', 'takes for a fault what a verifier may not decide', async () => {
    for (const cause of [
      new InsufficientScopeError(['a']),
      new CredentialsRejectedError('missing_token'),
      new RequestOriginRejectedError('origin'),
      new MessageRejectedError('batch'),
      new TenantRejectedError('unknown_tenant'),
    ]) {
      for (const verify of throwing(cause)) {
        const error = await outcome(verify);
        expect(error).toMatchObject({
          name: 'Error',
          message: `A verifier threw ${cause.name}, which is not for it to decide`,
          cause,
        });
      }
    }
  });

  verifies('F79', 'takes a result of another shape for a fault', async () => {
    for (const result of ['opaque', 7, true, [], () => CLAIMS]) {
      expect(await outcome(() => result)).toBeInstanceOf(TypeError);
      expect(await outcome(() => Promise.resolve(result))).toBeInstanceOf(TypeError);
    }
  });

  it('gives a context that can be copied, with one signal', async () => {
    const seen: VerificationContext[] = [];
    await ask((_, context) => {
      seen.push(context, { ...context });
      return CLAIMS;
    });
    expect(seen[0]?.signal).toBeInstanceOf(AbortSignal);
    expect(seen[1]?.signal).toBe(seen[0]?.signal);
    expect(seen[0]?.signal.aborted).toBe(false);
  });

  describe('and the time', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });

    afterEach(() => {
      vi.useRealTimers();
    });

    verifies('VER-04', 'ends a verifier that hangs, and says so by its signal', async () => {
      let signal: AbortSignal | undefined;
      const pending = outcome((_, context) => {
        ({ signal } = context);
        return new Promise(() => undefined);
      });
      await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
      expect(signal?.aborted).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect(signal?.aborted).toBe(true);
      const error = await pending;
      expect(error).toBeInstanceOf(AuthorizationServerUnavailableError);
      expect(error).toMatchObject({ issuer: AS, missing: 'verification', cause: signal?.reason as Error });
      expect(signal?.reason).toEqual(new Error('The verifier gave no answer within 100 ms'));
    });

    verifies('VER-04', 'shows the end to one that looks at its signal only afterwards', async () => {
      let context: VerificationContext | undefined;
      const pending = outcome((_, given) => {
        context = given;
        return new Promise(() => undefined);
      });
      await vi.advanceTimersByTimeAsync(LIMIT_MS);
      await pending;
      expect(context?.signal.aborted).toBe(true);
    });

    it('takes an answer up to the last moment', async () => {
      const late = (ms: number) => () => new Promise((resolve) => setTimeout(resolve, ms, CLAIMS));
      const inTime = outcome(late(LIMIT_MS - 1));
      const tooLate = outcome(late(LIMIT_MS + 1));
      await vi.advanceTimersByTimeAsync(LIMIT_MS + 1);
      expect(await inTime).toBe(CLAIMS);
      expect(await tooLate).toBeInstanceOf(AuthorizationServerUnavailableError);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('sets no timer for an answer that is there', async () => {
      await outcome(() => CLAIMS);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('is not troubled by what comes after the end', async () => {
      const pending = outcome(
        () =>
          new Promise((_, reject) =>
            setTimeout(() => {
              reject(new Error('late'));
            }, 2 * LIMIT_MS),
          ),
      );
      await vi.advanceTimersByTimeAsync(3 * LIMIT_MS);
      expect(await pending).toBeInstanceOf(AuthorizationServerUnavailableError);
    });
  });
});
