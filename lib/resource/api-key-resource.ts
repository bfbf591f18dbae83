import type { ResolvedApiKeyOptions } from '../options/resolved-options.interface.js';
import type { ProtectedResource } from './protected-resource.registry.js';

const known = new WeakMap<ProtectedResource, ProtectedResource>();

/**
 * Returns a resource as the verification of its API keys sees it: it trusts no authorization server, has the verifier of the
 * keys, and verifies no bindings. The same object for the same resource, so a cache keeps keys and tokens apart. That of a tenant
 * is made from that of the template, so nothing that lives as long as the application keeps it.
 *
 * @internal
 */
export function forApiKeys(resource: ProtectedResource, apiKeys: ResolvedApiKeyOptions): ProtectedResource {
  const found = known.get(resource);
  if (found) return found;
  const { verifier, issuer } = apiKeys;
  const { tenant } = resource;
  const made: ProtectedResource = {
    options: { ...resource.options, verifier, privateIssuers: [], dpop: undefined, mutualTls: undefined },
    metadataUrl: resource.metadataUrl,
    servers: new Map(),
    challengeScopes: [],
    apiKeyIssuer: issuer,
    tenant: tenant && { id: tenant.id, template: forApiKeys(tenant.template, apiKeys) },
  };
  known.set(resource, made);
  return made;
}
