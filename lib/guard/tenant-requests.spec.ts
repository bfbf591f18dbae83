import { describe, expect, it } from 'vitest';
import { TenantRejectedError } from '../errors/rejection.errors.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { TenantResources } from '../resource/tenant-resources.js';
import { ofTenant, TenantRequests } from './tenant-requests.js';

const template = {} as ProtectedResource;
const acme = { tenant: { template } } as unknown as ProtectedResource;
const unknown = new TenantRejectedError('unknown_tenant');

/** Finds tenants at once, or later. */
const requestsOf = (isLater: boolean): TenantRequests =>
  new TenantRequests({
    find: (_: ProtectedResource, target: string) => {
      if (target === '/acme/mcp') return isLater ? Promise.resolve(acme) : acme;
      if (isLater) return Promise.reject(unknown);
      throw unknown;
    },
  } as unknown as TenantResources);

describe('TenantRequests', () => {
  it('checks a request for its tenant, and rejects one without a tenant', async () => {
    for (const isLater of [false, true]) {
      const requests = requestsOf(isLater);
      const outcome = async (request: object | undefined): Promise<unknown> =>
        requests.check(template, {
          request,
          check: (resource) => resource,
          reject: (failure) => failure as Error,
        });
      expect(await outcome({ url: '/acme/mcp' })).toBe(acme);
      expect(await outcome({ originalUrl: '/acme/mcp', url: '/mcp' })).toBe(acme);
      await expect(outcome({ url: '/other/mcp' })).rejects.toBe(unknown);
      await expect(outcome({})).rejects.toBe(unknown);
      await expect(outcome(undefined)).rejects.toMatchObject({ reason: 'missing_token' });
    }
  });

  it('knows no tenant of a request that was not authenticated', () => {
    expect(ofTenant({}, template)).toBeUndefined();
    expect(ofTenant(undefined, template)).toBeUndefined();
  });
});
