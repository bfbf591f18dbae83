import type { ConfigProblem } from '../errors/config.error.js';
import { apiKeyProblems } from './api-key-checks.js';
import type { AnyAuthorizationServerOptions } from './authorization-server-options.js';
import type { CheckedOptions, CheckedResource } from './option-problems.js';
import { ambiguousIntrospection, authorizationServerProblems } from './authorization-server-checks.js';
import { replicaProblems } from './replica-checks.js';
import { tenantProblems } from './tenant-checks.js';
import { canonicalResource } from './url-rules.js';

/** Returns the conflicts between options that each have a valid shape. @internal */
export function crossProblems(options: CheckedOptions): ConfigProblem[] {
  const { resources, serveRootAlias } = options;
  const isDeferred = options.discovery === 'lazy' || options.onDiscoveryFailure === 'retry';
  const alias =
    serveRootAlias === true && resources.length > 1
      ? [{ path: 'serveRootAlias', message: 'needs exactly one resource; leave it out' }]
      : [];
  return [
    ...duplicates(resources, ({ resource }) => canonicalResource(resource), 'resources', 'resource'),
    ...duplicates(resources, ({ name }) => name, 'resources', 'name'),
    ...alias,
    ...privateIssuerProblems(options),
    ...replicaProblems(options),
    ...apiKeyProblems(options),
    ...tenantProblems(options),
    ...resources.flatMap((resource, index) =>
      resourceProblems(resource, `resources[${String(index)}]`, isDeferred),
    ),
  ];
}

const NO_CLIENT = 'needs "clientIds" or "origins": without both, no client may use the resource';

const OPEN_TWICE = 'has no effect with "allowAnonymous", which opens every method; leave one of the two out';

const OPEN_POLICY =
  'decides on callers with a token, and "allowAnonymous" or "anonymousMethods" lets others in; leave that out, or put ' +
  '@RequirePolicy() on the handlers';

function resourceProblems(given: CheckedResource, path: string, isDeferred: boolean): ConfigProblem[] {
  const { authorizationServers, resource, metadata } = given;
  const list = `${path}.authorizationServers`;
  return [
    ...callerProblems(given, path),
    ...duplicates(authorizationServers, serverIssuer, list, 'issuer'),
    ...authorizationServers.flatMap((server, index) =>
      authorizationServerProblems(server, `${list}[${String(index)}]`, isDeferred),
    ),
    ...ambiguousIntrospection(authorizationServers, list),
    ...signedMetadataProblems(metadata?.['signed_metadata'], resource, `${path}.metadata`),
  ];
}

/** Checks the options that say who may call a resource, beside its authorization servers. */
function callerProblems(
  { allowAnonymous = false, anonymousMethods = [], allowedClients, policy }: CheckedResource,
  path: string,
): ConfigProblem[] {
  const hasOpenMethods = anonymousMethods.length > 0;
  const allowsNone = allowedClients && !allowedClients.clientIds?.length && !allowedClients.origins?.length;
  const found: [boolean | undefined, string, string][] = [
    [allowsNone, 'allowedClients', NO_CLIENT],
    [policy !== undefined && (allowAnonymous || hasOpenMethods), 'policy', OPEN_POLICY],
    [allowAnonymous && hasOpenMethods, 'anonymousMethods', OPEN_TWICE],
  ];
  return found.flatMap(([isProblem, option, message]) =>
    isProblem ? [{ path: `${path}.${option}`, message }] : [],
  );
}

function privateIssuerProblems({ resources, verifier }: CheckedOptions): ConfigProblem[] {
  const message = 'needs a "verifier": only that may name these issuers';
  return resources.flatMap((resource, index) =>
    (resource.privateIssuers ?? []).length > 0 && (resource.verifier ?? verifier) === undefined
      ? [{ path: `resources[${String(index)}].privateIssuers`, message }]
      : [],
  );
}

function serverIssuer({ issuer, metadata }: AnyAuthorizationServerOptions): unknown {
  return issuer ?? metadata?.['issuer'];
}

/** @internal */
export function signedMetadataProblems(signed: unknown, resource: string, path: string): ConfigProblem[] {
  if (typeof signed !== 'string') return [];
  const payload = Buffer.from(signed.split('.')[1] ?? '', 'base64url').toString();
  const claimed = (JSON.parse(payload) as { resource?: unknown }).resource;
  if (claimed === undefined || claimed === resource) return [];
  return [{ path, message: '"signed_metadata" is made for another "resource"; sign it anew for this one' }];
}

function duplicates<T>(
  items: readonly T[],
  key: (item: T) => unknown,
  path: string,
  what: string,
): ConfigProblem[] {
  const seen = new Map<unknown, number>();
  return items.flatMap((item, index) => {
    const value = key(item);
    const first = seen.get(value);
    if (value === undefined) return [];
    if (first === undefined) {
      seen.set(value, index);
      return [];
    }
    const message = `is the same ${what} as ${path}[${String(first)}]; keep one of them`;
    return [{ path: `${path}[${String(index)}].${what}`, message }];
  });
}
