import type { AuthorizationServer } from '../authorization-server/authorization-server.js';
import type { AuthorizationServerRegistry } from '../authorization-server/authorization-server.registry.js';
import { OFFLINE_ACCESS } from '../mcp-auth.constants.js';
import { isScopeToken } from '../options/value-rules.js';
import { didYouMean } from '../options/did-you-mean.js';
import type {
  ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import type { KnownHandlers } from './handler-registration.js';
import { namedScopes } from '../mcp/scope-requirement.js';

/** A handler and the scopes that it needs. Scopes that its functions return are not known. */
interface Asker {
  /** For messages. */
  readonly where: string;
  readonly scopes: readonly string[];
  readonly resourceName: string | undefined;
}

/** Scopes, each with the handlers that need it. */
type AskedScopes = ReadonlyMap<string, readonly string[]>;

/**
 * Warns of scopes that clients do not discover, or cannot get in a token. These are `offline_access`, which grants nothing at
 * a resource; scopes that `scopesSupported` leaves out; scopes that an authorization server does not list in its metadata,
 * such as mistyped ones.
 *
 * @param handlers - all handlers of the application
 * @param resources - the configured resources; the audit has passed all handlers' references to them
 * @param servers - their authorization servers
 * @internal
 */
export function scopeWarnings(
  handlers: KnownHandlers,
  resources: ProtectedResourceRegistry,
  servers: AuthorizationServerRegistry,
): readonly string[] {
  const askers = askersOf(handlers);
  const isOnly = resources.all().length === 1;
  return [
    ...askers.filter(({ scopes }) => scopes.includes(OFFLINE_ACCESS)).map(offline),
    ...resources.all().flatMap((resource) => {
      const asked = askedOf(resource, askers, isOnly);
      const listing = [...servers.of(resource.options).values()];
      return [...unsupported(resource, asked), ...listing.flatMap((server) => unlisted(server, asked))];
    }),
  ];
}

function askersOf({ scanned, declared }: KnownHandlers): readonly Asker[] {
  return [
    ...scanned.map(({ where, requirements, resourceName }) => ({
      where,
      scopes: namedScopes(requirements),
      resourceName,
    })),
    ...declared.map(({ kind, name, requirements, resource }) => ({
      where: `${kind} "${name}"`,
      scopes: namedScopes(requirements),
      resourceName: resource,
    })),
  ];
}

/**
 * Returns the scopes of a resource and of its handlers. If there are several resources, handlers that name none belong to
 * none.
 */
function askedOf({ options }: ProtectedResource, askers: readonly Asker[], isOnly: boolean): AskedScopes {
  const own = askers.filter(
    ({ resourceName = isOnly ? options.resource : undefined }) =>
      resourceName !== undefined && [options.name, options.resource].includes(resourceName),
  );
  const asked = new Map<string, string[]>();
  for (const { where, scopes } of [{ where: '"requiredScopes"', scopes: options.requiredScopes }, ...own])
    for (const scope of scopes)
      if (scope !== OFFLINE_ACCESS) asked.set(scope, [...(asked.get(scope) ?? []), where]);
  return asked;
}

function offline({ where }: Asker): string {
  return `${where}: asks for "${OFFLINE_ACCESS}", which no challenge names, as clients ask for it by themselves; leave it out`;
}

function unsupported({ options }: ProtectedResource, asked: AskedScopes): readonly string[] {
  const { resource, scopesSupported } = options;
  const left = scopesSupported ? [...asked.keys()].filter((scope) => !scopesSupported.includes(scope)) : [];
  if (left.length === 0) return [];
  const names = left.map((scope) => `"${scope}"`).join(', ');
  return [`${resource}: "scopesSupported" leaves out ${names}, which handlers or "requiredScopes" ask for`];
}

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

/** Does not warn of a server whose metadata is not known yet, or that lists no scopes of resources. */
function unlisted(server: AuthorizationServer, asked: AskedScopes): readonly string[] {
  const listed = listedScopes(server);
  if (listed.every((scope) => OF_IDENTITY.has(scope))) return [];
  return [...asked]
    .filter(([scope]) => !listed.includes(scope))
    .map(([scope, where]) => {
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
