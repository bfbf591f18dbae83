import { describe, expect, it } from 'vitest';
import { registriesOf } from '../../test/fixtures/registries.js';
import { verifies } from '../../test/verifies.js';
import { TenantRejectedError } from '../errors/rejection.errors.js';
import { resolveOptions } from '../options/resolve-options.js';
import { ProtectedResourceRegistry } from './protected-resource.registry.js';
import { TenantResources } from './tenant-resources.js';

const TEMPLATE = 'https://api.example.com/t/{tenant}/mcp';

/** Finds tenants, all of which are known, and says which identifier belongs to the path, or why none does. */
function finder() {
  const options = resolveOptions({
    resources: {
      resource: TEMPLATE,
      tenants: () => ({ authorizationServers: ['https://as.example'] }),
    },
  });
  const { servers } = registriesOf(options);
  const resources = new ProtectedResourceRegistry(options, servers);
  const dynamic = { acquire: () => ({ issuer: 'https://as.example' }), find: () => undefined };
  const tenants = new TenantResources(resources, dynamic as never, undefined as never, options);
  tenants.onModuleInit();
  return async (path: string): Promise<string> => {
    try {
      return (await tenants.find(resources.first(), path)).options.resource;
    } catch (error) {
      if (error instanceof TenantRejectedError) return error.reason;
      throw error;
    }
  };
}

describe('TenantResources', () => {
  verifies('TEN-27', 'finds no tenant by a path that some programs resolve to another one', async () => {
    const find = finder();
    const acme = 'https://api.example.com/t/acme/mcp';
    for (const path of [
      '/t/acme/mcp',
      '/t/acme/mcp/',
      '/t/acme/mcp/notes',
      '/t/acme/mcp/...',
      '/t/acme/mcp?a=/../b',
    ])
      expect([path, await find(path)]).toEqual([path, acme]);
    for (const path of [
      '/t/acme/mcp/..',
      '/t/acme/mcp/../../beta/mcp',
      '/t/acme/mcp/%2e%2e/x',
      '/t/acme/mcp/.%2E/x',
      '/t/acme/mcp/..\\x',
      '/t/acme/mcp/a/./b',
      '/t/acme/mcp/..;a/x',
    ])
      expect([path, await find(path)]).toEqual([path, 'unknown_tenant']);
  });

  it('finds another tenant by another name', async () => {
    const find = finder();
    expect(await find('/t/beta/mcp')).toBe('https://api.example.com/t/beta/mcp');
    expect(await find('/t/acme.beta/mcp')).toBe('https://api.example.com/t/acme.beta/mcp');
  });
});
