import { describe, expect, it } from 'vitest';
import { RequestOriginRejectedError } from '../errors/rejection.errors.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import { policyOf, RequestOriginPolicy } from './request-origin-policy.js';

const options = (resource: string): ResolvedProtectedResourceOptions =>
  resolveOptions({ resources: { resource, authorizationServers: ['https://as.example'] } }).resources[0]!;

const LOCAL = options('http://localhost:3000/notes');
const EVIL = 'https://evil.example';

describe('RequestOriginPolicy', () => {
  const policy = new RequestOriginPolicy(LOCAL);

  it('gives back the allowed origin, or that there is none', () => {
    const origin = 'HTTP://localhost:5173';
    expect(policy.check({ headers: { host: 'localhost:3000', origin } })).toBe(origin);
    expect(policy.check({ headers: { host: 'localhost:3000' } })).toBeUndefined();
  });

  it('decides on Host, then on Origin', () => {
    const check = (host: string, origin: string) => () => policy.check({ headers: { host, origin } });
    expect(check('evil.example', 'http://localhost')).toThrow(new RequestOriginRejectedError('host'));
    expect(check('evil.example', EVIL)).toThrow(new RequestOriginRejectedError('host'));
    expect(check('localhost', EVIL)).toThrow(new RequestOriginRejectedError('origin'));
  });

  it('decides on Host alone, whatever the Origin', () => {
    const checkHost = (host: string) => () => {
      policy.checkHost({ headers: { host, origin: EVIL } });
    };
    expect(checkHost('localhost:3000')).not.toThrow();
    expect(checkHost('evil.example')).toThrow(new RequestOriginRejectedError('host'));
  });
});

describe('policyOf', () => {
  it('makes one policy for each resource', () => {
    const other = options('https://api.example.com/notes');
    expect(policyOf(LOCAL)).toBe(policyOf(LOCAL));
    expect(policyOf(other)).not.toBe(policyOf(LOCAL));
    expect(policyOf(other).check({ headers: { host: 'any.example' } })).toBeUndefined();
  });
});
