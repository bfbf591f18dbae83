import { type AuthorizationServer } from '../discovery/authorization-server.js';
import { type AuthorizationServerRegistry } from '../discovery/authorization-server.registry.js';
import { OFFLINE_ACCESS } from '../mcp-auth.constants.js';
import { isScopeToken } from '../options/value-rules.js';
import { didYouMean } from '../options/did-you-mean.js';
import { type ProtectedResourceRegistry } from '../resource-metadata/protected-resource.registry.js';
import { type KnownHandlers } from './handler-registration.js';
import { askersOf, askingFor } from './scope-advice.js';
import { namedScopes } from './scope-requirement.js';

/**
 * Scopes and claims of OpenID Connect. Servers that list only these, such as Auth0, do not list scopes of resources.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims | OpenID Connect Core 1.0 section 5.4}
 */
const OF_IDENTITY: ReadonlySet<string> = new Set([
  ...['openid', 'profile', 'email', 'address', 'phone', OFFLINE_ACCESS],
  ...['name', 'given_name', 'family_name', 'nickname', 'picture', 'email_verified', 'phone_number'],
  ...['created_at', 'identities'],
]);

/**
 * Names scopes of handlers and of `requiredScopes` that an authorization server does not list in its metadata, such as
 * mistyped ones. Says nothing of a server whose metadata is not known yet, or that lists no scopes of resources.
 *
 * @param handlers - all handlers of the application
 * @param resources - the configured resources; the audit has passed all that handlers say of them
 * @param servers - their authorization servers
 * @internal
 */
export function unlistedScopes(
  handlers: KnownHandlers,
  resources: ProtectedResourceRegistry,
  servers: AuthorizationServerRegistry,
): readonly string[] {
  const askers = askersOf(handlers);
  return resources.all().flatMap((resource) => {
    const { requiredScopes } = resource.options;
    const asking = [
      { where: '"requiredScopes"', requirements: requiredScopes },
      ...askingFor(resource, askers, resources),
    ];
    const byScope = new Map<string, string[]>();
    for (const { where, requirements } of asking)
      for (const scope of namedScopes(requirements))
        byScope.set(scope, [...(byScope.get(scope) ?? []), where]);
    return [...servers.of(resource.options).values()].flatMap((server) => unlistedBy(server, byScope));
  });
}

function unlistedBy(server: AuthorizationServer, byScope: ReadonlyMap<string, readonly string[]>): string[] {
  const listed = listedScopes(server);
  if (listed.every((scope) => OF_IDENTITY.has(scope))) return [];
  const unlisted = [...byScope].filter(([scope]) => scope !== OFFLINE_ACCESS && !listed.includes(scope));
  return unlisted.map(([scope, where]) => {
    const meant = didYouMean(scope, listed);
    return (
      `${[...new Set(where)].join(', ')}: asks for the scope "${scope}", which ${server.issuer} does not list in its ` +
      `"scopes_supported"; clients may get no tokens with it${meant === undefined ? '' : `. Did you mean "${meant}"?`}`
    );
  });
}

function listedScopes(server: AuthorizationServer): readonly string[] {
  const listed: unknown = server.peek()?.['scopes_supported'];
  if (!Array.isArray(listed)) return [];
  return listed.filter((scope) => isScopeToken(scope) === undefined) as string[];
}
