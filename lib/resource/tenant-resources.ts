import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { DynamicAuthorizationServers } from '../authorization-server/dynamic-authorization-servers.js';
import { isOwnIssuer } from '../authorization-server/private-issuers.js';
import { steadySeconds } from '../authorization-server/steady-clock.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { TenantRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import type { ResolveTenant, TenantResolverClass } from '../options/tenant-resolver.js';
import { resolveTenant } from '../options/resolve-tenant.js';
import { TENANT_VARIABLE, TenantPath } from '../options/resource-template.js';
import { isClassWith, providerOf } from '../platform/application-provider.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { splitUrl } from '../options/url-rules.js';
import { buildResourceMetadata } from './build-resource-metadata.js';
import { type ProtectedResource, ProtectedResourceRegistry } from './protected-resource.registry.js';
import { requestPath, resourceMetadataPath, resourceMetadataUrl } from './resource-metadata-url.js';
import { hasDots, literalSegments } from './path-segments.js';
import { type ServedDocument, toServedDocument } from './served-document.js';
import { MAX_TENANTS, TenantDirectory } from './tenant-directory.js';

/** The resource of a tenant, and its document once that has been requested. */
interface TenantResource extends ProtectedResource {
  document?: ServedDocument;
}

/** How many tenants of a template are remembered in this process. @publicApi */
export interface TenantsReport {
  /** The identifier of the template. */
  readonly resource: string;
  /** Those that the resolver knows. */
  readonly entries: number;
  /** The limit: the tenant that was not used for the longest time is then asked for again. */
  readonly maxEntries: number;
}

/** A resource whose identifier is a template. */
interface Template {
  readonly endpoint: TenantPath;
  readonly document: TenantPath;
  /** Tenants, in lower case, whose path is that of a resource of the options. */
  readonly taken: ReadonlySet<string>;
  readonly tenants: TenantDirectory<TenantResource>;
}

/**
 * Finds the resource of a tenant by the path of a request, if the options have a template. The resource is made of the options
 * of the template and of what the resolver returns, when it is first needed.
 *
 * @internal
 */
@Injectable()
export class TenantResources implements OnModuleInit {
  private templates: ReadonlyMap<ProtectedResource, Template> = new Map();

  constructor(
    private readonly resources: ProtectedResourceRegistry,
    private readonly servers: DynamicAuthorizationServers,
    private readonly moduleRef: ModuleRef,
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<ResolvedMcpAuthOptions, 'now' | 'verifierTimeoutMs' | 'replicas'>,
  ) {}

  /** @throws {@link McpAuthConfigError} for a resolver that cannot be found */
  onModuleInit(): void {
    this.templates = new Map(
      this.resources.all().flatMap((resource): [ProtectedResource, Template][] => {
        const template = this.templateOf(resource);
        return template ? [[resource, template]] : [];
      }),
    );
  }

  /**
   * Returns the resource of the tenant that a request target names.
   *
   * @param declared - a template
   * @param target - as received
   * @returns a promise only if the resolver must be called
   * @throws {@link TenantRejectedError}, or an error for status 500 if the answer of the resolver is no valid one; the promise
   * rejects with the same
   */
  find(declared: ProtectedResource, target: string): ProtectedResource | Promise<ProtectedResource> {
    const template = this.templates.get(declared);
    const found = template?.endpoint.find(requestPath(target));
    // Programs resolve dot segments, and then see another path.
    if (!template || !found || hasDots(literalSegments(found.below)))
      throw new TenantRejectedError('unknown_tenant');
    return findTenant(template, found.tenant);
  }

  /**
   * Returns the template whose documents are at a path.
   *
   * @param path - of a request target, not decoded
   */
  describedAt(path: string): ProtectedResource | undefined {
    for (const [resource, { document }] of this.templates) {
      const found = document.find(path);
      if (found && isHere(found.below)) return resource;
    }
    return undefined;
  }

  /**
   * Returns the document of a tenant's resource.
   *
   * @param path - of a request target, not decoded
   * @returns undefined if the path is that of no document
   * @throws as {@link find}
   */
  async documentAt(path: string): Promise<ServedDocument | undefined> {
    for (const [declared, template] of this.templates) {
      const found = template.document.find(path);
      if (!found || !isHere(found.below)) continue;
      const resource = await findTenant(template, found.tenant);
      return (resource.document ??= this.documentOf(resource, declared));
    }
    return undefined;
  }

  /**
   * Returns what finds the resource with an identifier, if it may be that of a tenant.
   *
   * @returns undefined if no template has such resources
   */
  finderOf(identifier: string): (() => ProtectedResource | Promise<ProtectedResource>) | undefined {
    const { origin, path } = splitUrl(identifier);
    for (const [{ options }, template] of this.templates) {
      const found = splitUrl(options.resource).origin === origin ? template.endpoint.find(path) : undefined;
      if (found?.below === '') return () => findTenant(template, found.tenant);
    }
    return undefined;
  }

  /** Returns how many tenants each template remembers, and the limit. */
  states(): readonly TenantsReport[] {
    return [...this.templates].map(([{ options }, { tenants }]) => ({
      resource: options.resource,
      entries: tenants.size,
      maxEntries: MAX_TENANTS,
    }));
  }

  private documentOf({ options, servers }: ProtectedResource, declared: ProtectedResource): ServedDocument {
    const scopes = this.resources.scopesOf(declared);
    return toServedDocument(buildResourceMetadata(options, [...servers.keys()], scopes));
  }

  private templateOf(declared: ProtectedResource): Template | undefined {
    const { options } = declared;
    if (options.tenants === undefined) return undefined;
    const resolve = this.resolverOf(options.tenants, options.resource);
    return {
      endpoint: new TenantPath(splitUrl(options.resource).path),
      document: new TenantPath(resourceMetadataPath(options.resource)),
      taken: takenTenants(declared, this.resources.all()),
      tenants: new TenantDirectory<TenantResource>({
        resolve,
        make: (tenant, answer) => this.make(declared, tenant, answer),
        renew: ({ options: { authorizationServers } }) => {
          for (const server of authorizationServers) this.servers.find(server);
        },
        seconds: steadySeconds(this.options.now),
        timeoutMs: this.options.verifierTimeoutMs,
      }),
    };
  }

  private resolverOf(tenants: TenantResolverClass | ResolveTenant, resource: string): ResolveTenant {
    if (!isResolverClass(tenants)) return tenants;
    const role = `finds the tenants of ${resource}`;
    const found = providerOf(this.moduleRef, tenants, {
      role,
      method: 'resolve',
      fix: 'extend TenantResolver',
    });
    return (tenant) => found.resolve(tenant);
  }

  private make(declared: ProtectedResource, tenant: string, answer: object): TenantResource {
    const options = resolveTenant(answer, tenant, declared.options, this.options);
    return {
      options,
      metadataUrl: resourceMetadataUrl(options.resource),
      servers: this.serversOf(options, tenant),
      get challengeScopes() {
        return declared.challengeScopes;
      },
      tenant: { id: tenant, template: declared },
    };
  }

  private serversOf(
    resource: ResolvedProtectedResourceOptions,
    tenant: string,
  ): ReadonlyMap<string, TrustedAuthorizationServer> {
    const servers = new Map<string, TrustedAuthorizationServer>();
    resource.authorizationServers.forEach((options, index) => {
      const server = this.servers.acquire(options);
      const problem = servers.has(server.issuer)
        ? 'is the same issuer as another one; keep one of them'
        : 'is among "privateIssuers" or that of "apiKeys", which no authorization server may be';
      if (servers.has(server.issuer) || isOwnIssuer(server.issuer, resource)) {
        const path = `tenants.resolve("${tenant}").authorizationServers[${String(index)}]`;
        throw new McpAuthConfigError([{ path, message: problem }]);
      }
      servers.set(server.issuer, server);
    });
    return servers;
  }
}

function isResolverClass(tenants: TenantResolverClass | ResolveTenant): tenants is TenantResolverClass {
  return isClassWith(tenants, 'resolve');
}

function findTenant({ tenants, taken }: Template, tenant: string): TenantResource | Promise<TenantResource> {
  if (taken.size > 0 && taken.has(tenant.toLowerCase())) throw new TenantRejectedError('unknown_tenant');
  return tenants.find(tenant);
}

/** A document is at its path, with or without a slash at the end. */
function isHere(below: string): boolean {
  return below === '' || below === '/';
}

/** Returns what stands for the tenant in the paths of other resources that have the form of the template. */
function takenTenants(
  { options: { resource } }: ProtectedResource,
  all: readonly ProtectedResource[],
): ReadonlySet<string> {
  const form = segmentsOf(resource);
  const at = form.indexOf(TENANT_VARIABLE);
  const others = all
    .filter(({ options }) => options.tenants === undefined)
    .map(({ options }) => segmentsOf(options.resource));
  return new Set(
    others.flatMap((segments) => {
      const isOfForm =
        segments.length === form.length &&
        segments.every((segment, index) => index === at || segment === form[index]);
      return isOfForm ? [segments[at] ?? ''] : [];
    }),
  );
}

function segmentsOf(resource: string): readonly string[] {
  return literalSegments(splitUrl(resource).path);
}
