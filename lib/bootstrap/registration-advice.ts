import type { AuthorizationServer } from '../authorization-server/authorization-server.js';
import type { AuthorizationServerRegistry } from '../authorization-server/authorization-server.registry.js';
import { registersWithScopes } from '../authorization-server/mcp-compliance.js';
import type {
  ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';

/**
 * Names authorization servers that may break step-up: clients can only register dynamically, with the scopes of the first
 * challenge, and later calls need others. Whether a server limits clients to these scopes is not in its metadata, so it is
 * advice and no warning.
 *
 * Says nothing of a server whose metadata is not known yet, or with `mcpCompliance: 'off'`, or if the first challenge names no
 * scopes: clients then register with all scopes of the resource.
 *
 * @param resources - the configured resources; their documents have been built
 * @param servers - their authorization servers
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-2 | RFC 7591 section 2}
 * @internal
 */
export function registrationAdvice(
  resources: ProtectedResourceRegistry,
  servers: AuthorizationServerRegistry,
): readonly string[] {
  const later = new Map<AuthorizationServer, Set<string>>();
  for (const resource of resources.all()) {
    const scopes = laterScopes(resource, resources);
    if (scopes.length === 0) continue;
    for (const server of servers.of(resource.options).values())
      later.set(server, new Set([...(later.get(server) ?? []), ...scopes]));
  }
  return [...later]
    .filter(([server]) => mayPin(server))
    .map(([{ issuer }, scopes]) => pinned(issuer, scopes));
}

/** The scopes that the first challenge leaves out, if it names any. */
function laterScopes(resource: ProtectedResource, resources: ProtectedResourceRegistry): readonly string[] {
  const { challengeScopes: first, options } = resource;
  // Without a token the first challenge is that of the first protected tool.
  const namesScopes = first.length > 0 || options.allowAnonymous || options.anonymousMethods.length > 0;
  return namesScopes ? resources.scopesOf(resource).filter((scope) => !first.includes(scope)) : [];
}

function mayPin(server: AuthorizationServer): boolean {
  const metadata = server.options.mcpCompliance === 'off' ? undefined : server.peek();
  return metadata !== undefined && registersWithScopes(metadata);
}

function pinned(issuer: string, scopes: ReadonlySet<string>): string {
  return (
    `${issuer}: has a "registration_endpoint" and no "client_id_metadata_document_supported"; if it limits clients to the ` +
    `scopes that they register with, no later step-up gets ${[...scopes].join(' ')}; see ` +
    'docs/guides/scopes.md#step-up-and-dynamic-client-registration'
  );
}
