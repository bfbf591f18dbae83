import type { ModuleRef } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { AuthorizationPolicy } from '../options/authorization-policy.js';
import { Policies } from './policies.js';

class OnlyAdmins extends AuthorizationPolicy {
  decide(): boolean {
    return true;
  }
}

const NAMED = [{ path: 'NotesTools.purge', policy: OnlyAdmins }];

const withProvider = (get: () => unknown): Policies =>
  new Policies({ get } as unknown as ModuleRef, new RateLimitedLogger({ now: () => new Date(0) }), {
    verifierTimeoutMs: 1000,
  });

describe('Policies', () => {
  it('takes an instance, and names the handler of a class that is provided by something else', () => {
    const policies = withProvider(() => new OnlyAdmins());
    expect(policies.prepare(NAMED)).toEqual([]);
    expect(policies.isUsed).toBe(true);
    expect(withProvider(() => ({})).prepare(NAMED)).toEqual([
      {
        path: 'NotesTools.purge',
        message: 'OnlyAdmins is a policy and has no method "decide"; extend AuthorizationPolicy',
      },
    ]);
  });

  it('does not hide an error of the provided value', () => {
    const broken = {
      get decide(): never {
        throw new RangeError('broken');
      },
    };
    expect(() => withProvider(() => broken).prepare(NAMED)).toThrow(RangeError);
  });

  it('is not used without a policy', () => {
    const policies = withProvider(() => undefined);
    expect(policies.prepare([])).toEqual([]);
    expect(policies.isUsed).toBe(false);
  });
});
