import { OFFLINE_ACCESS } from '../mcp-auth.constants.js';
import {
  type KnownResource,
  type ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { type KnownHandlers } from './handler-registration.js';
import { namedScopes, type ScopeRequirement } from './scope-requirement.js';

/** Something that asks for scopes. */
interface Asking {
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
  { scanned, declared }: KnownHandlers,
  resources: ProtectedResourceRegistry,
): readonly string[] {
  const byName = declared.map((each) => ({ ...each, where: `${each.kind} "${each.name}"` }));
  const asking: readonly Asking[] = [...scanned, ...byName];
  const offline = asking.filter(({ requirements }) => namedScopes(requirements).includes(OFFLINE_ACCESS));
  return [
    ...offline.map(
      ({ where }) =>
        `${where}: asks for "${OFFLINE_ACCESS}", which no challenge names, as clients ask for it by themselves; leave it out`,
    ),
    ...resources.all().flatMap((resource) => unlistedAdvice(resource, asking, resources)),
  ];
}

function unlistedAdvice(
  { options }: KnownResource,
  asking: readonly Asking[],
  resources: ProtectedResourceRegistry,
): string[] {
  const { scopesSupported } = options;
  if (!scopesSupported) return [];
  const isOnly = resources.all().length === 1;
  const needed = asking
    .filter(({ resource = isOnly ? options.resource : '' }) =>
      [options.name, options.resource].includes(resource),
    )
    .flatMap(({ requirements }) => namedScopes(requirements));
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
