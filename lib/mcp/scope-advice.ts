import { OFFLINE_ACCESS } from '../mcp-auth.constants.js';
import {
  type KnownResource,
  type ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { type KnownHandlers } from './handler-registration.js';
import { namedScopes, type ScopeRequirement } from './scope-requirement.js';

/** Something that asks for scopes. @internal */
export interface Asking {
  /** For messages. */
  readonly where: string;
  readonly requirements: readonly ScopeRequirement[];
  readonly resource?: string | undefined;
}

/**
 * Names scopes of handlers that clients do not get to know of as they should: `offline_access`, which is no right at a
 * resource, and those that a list of scopes to advertise has left out.
 *
 * What functions ask for is not known here.
 *
 * @param handlers - all handlers of the application
 * @param resources - the configured resources; the audit has passed all that handlers say of them
 * @internal
 */
export function scopeAdvice(
  handlers: KnownHandlers,
  resources: ProtectedResourceRegistry,
): readonly string[] {
  const asking = askersOf(handlers);
  const offline = asking.filter(({ requirements }) => namedScopes(requirements).includes(OFFLINE_ACCESS));
  return [
    ...offline.map(
      ({ where }) =>
        `${where}: asks for "${OFFLINE_ACCESS}", which no challenge names, as clients ask for it by themselves; leave it out`,
    ),
    ...resources.all().flatMap((resource) => unlistedAdvice(resource, asking, resources)),
  ];
}

/** All that ask for scopes. @internal */
export function askersOf({ scanned, declared }: KnownHandlers): readonly Asking[] {
  return [
    ...scanned.map(({ where, requirements, resourceName: resource }) => ({ where, requirements, resource })),
    ...declared.map((each) => ({ ...each, where: `${each.kind} "${each.name}"` })),
  ];
}

/** Those that ask for scopes of a resource, where they say which. @internal */
export function askingFor(
  { options }: KnownResource,
  asking: readonly Asking[],
  resources: ProtectedResourceRegistry,
): readonly Asking[] {
  const isOnly = resources.all().length === 1;
  return asking.filter(({ resource = isOnly ? options.resource : '' }) =>
    [options.name, options.resource].includes(resource),
  );
}

function unlistedAdvice(
  known: KnownResource,
  asking: readonly Asking[],
  resources: ProtectedResourceRegistry,
): string[] {
  const { options } = known;
  const { scopesSupported } = options;
  if (!scopesSupported) return [];
  const needed = askingFor(known, asking, resources).flatMap(({ requirements }) => namedScopes(requirements));
  const unlisted = new Set(
    [...options.requiredScopes, ...needed].filter(
      (scope) => scope !== OFFLINE_ACCESS && !scopesSupported.includes(scope),
    ),
  );
  if (unlisted.size === 0) return [];
  const names = [...unlisted].map((scope) => `"${scope}"`).join(', ');
  return [
    `${options.resource}: "scopesSupported" leaves out ${names}, which handlers or "requiredScopes" ask for`,
  ];
}
