import { McpAuthConfigError } from '../errors/config.error.js';
import { ambiguousIntrospection } from './authorization-server-checks.js';
import { signedMetadataProblems } from './cross-checks.js';
import { checkTenantShape } from './option-problems.js';
import { areReplicasChecked, serverReplicaProblems } from './replica-checks.js';
import { resolveAuthorizationServer } from './resolve-options.js';
import { resolveAllowedOrigins } from './resolve-origins.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from './resolved-options.interface.js';
import { tenantResource } from './resource-template.js';

/**
 * Checks what a resolver has returned for a tenant, and returns the options of the tenant's resource. The input is copied.
 *
 * @param tenant - as in the path
 * @param template - the options of the template
 * @param module - the options of the module
 * @throws {@link McpAuthConfigError} listing every problem
 * @internal
 */
export function resolveTenant(
  given: unknown,
  tenant: string,
  template: ResolvedProtectedResourceOptions,
  { replicas }: Pick<ResolvedMcpAuthOptions, 'replicas'>,
): ResolvedProtectedResourceOptions {
  const path = `tenants.resolve("${tenant}")`;
  const resource = tenantResource(template.resource, tenant);
  const { options, problems } = checkTenantShape(given, path);
  if (problems.length > 0) throw new McpAuthConfigError(problems);
  const list = `${path}.authorizationServers`;
  const authorizationServers = options.authorizationServers.map((server, index) =>
    resolveAuthorizationServer(server, `${list}[${String(index)}]`, template.verifier === undefined),
  );
  const metadata = { ...template.metadata, ...options.metadata };
  const crossed = [
    ...ambiguousIntrospection(authorizationServers, list),
    ...(areReplicasChecked(replicas)
      ? authorizationServers.flatMap((server, index) =>
          serverReplicaProblems(server, `${list}[${String(index)}]`),
        )
      : []),
    ...signedMetadataProblems(metadata.signed_metadata, resource, `${path}.metadata`),
  ];
  if (crossed.length > 0) throw new McpAuthConfigError(crossed);
  const { allowedOrigins = [] } = options;
  return Object.freeze({
    ...template,
    resource,
    tenants: undefined,
    authorizationServers: Object.freeze(authorizationServers),
    audiences: Object.freeze([options.audience ?? resource].flat()),
    allowedOrigins:
      allowedOrigins.length === 0
        ? template.allowedOrigins
        : Object.freeze(resolveAllowedOrigins(resource, [...template.allowedOrigins, ...allowedOrigins])),
    metadata,
  });
}
