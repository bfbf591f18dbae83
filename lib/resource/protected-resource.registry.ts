import { Inject, Injectable, Optional } from '@nestjs/common';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { AuthorizationServerRegistry } from '../authorization-server/authorization-server.registry.js';
import type { FindsServers } from '../authorization-server/resolved-servers.js';
import { ResolvedServersRegistry } from '../authorization-server/resolved-servers.registry.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { MCP_AUTH_OPTIONS, PROTECTED_RESOURCE_WELL_KNOWN } from '../mcp-auth.constants.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import { advertisedScopes, buildResourceMetadata } from './build-resource-metadata.js';
import { resourceMetadataPath, resourceMetadataUrl, withoutTrailingSlash } from './resource-metadata-url.js';
import { type ServedDocument, toServedDocument } from './served-document.js';

/** One protected resource, as requests use it. @internal */
export interface ProtectedResource {
  readonly options: ResolvedProtectedResourceOptions;
  /** The address of its metadata. */
  readonly metadataUrl: string;
  /** Its authorization servers by issuer. */
  readonly servers: ReadonlyMap<string, TrustedAuthorizationServer>;
  /** The servers that its `authorizationServerResolver` knows; undefined without that option. */
  readonly resolvedServers?: FindsServers | undefined;
  /** The scopes that a 401 asks for, whatever operation it rejects: see the option `challengeScopes`. */
  readonly challengeScopes: readonly string[];
  /** The issuer of API keys, if this stands for the resource in their verification. */
  readonly apiKeyIssuer?: string;
  /** The tenant that it belongs to, and the template that it was made from. Undefined for a resource of the options. */
  readonly tenant?: ResourceTenant | undefined;
}

/** A tenant of a resource whose identifier is a template. @internal */
export interface ResourceTenant {
  /** As in the path. */
  readonly id: string;
  /** No request is ever authenticated for the template itself. Handlers and scopes belong to it. */
  readonly template: ProtectedResource;
}

/** Returns the resource of the options that a resource was made from: its template, or itself. @internal */
export function declaredResource(resource: ProtectedResource): ProtectedResource {
  return resource.tenant === undefined ? resource : resource.tenant.template;
}

/** A resource with its document. */
interface Publication {
  readonly resource: ProtectedResource;
  readonly document: ServedDocument;
}

/**
 * Finds the configured resources: by the name that a route gives, or by the path of a metadata request.
 *
 * @internal
 */
@Injectable()
export class ProtectedResourceRegistry {
  private readonly resources: readonly ProtectedResource[];
  private readonly handlerScopes = new Map<ProtectedResource, Set<string>>();
  private advertised: ReadonlyMap<ProtectedResource, readonly string[]> = new Map();
  private challenged: ReadonlyMap<object, readonly string[]> = new Map();
  private documents: ReadonlyMap<string, Publication> = new Map();

  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    registry: AuthorizationServerRegistry,
    @Optional() resolved?: ResolvedServersRegistry,
  ) {
    const challenged = (resource: ResolvedProtectedResourceOptions): readonly string[] =>
      this.challenged.get(resource) ?? resource.requiredScopes;
    this.resources = options.resources.map((resource) => ({
      options: resource,
      metadataUrl: resourceMetadataUrl(resource.resource),
      resolvedServers: resolved?.of(resource),
      get servers() {
        return registry.of(resource);
      },
      get challengeScopes() {
        return challenged(resource);
      },
    }));
  }

  /** Returns all resources, in the configured order. */
  all(): readonly ProtectedResource[] {
    return this.resources;
  }

  /** Returns the first resource, for messages that need only some name. */
  first(): ProtectedResource {
    return this.require(this.resources[0]?.options.resource, 'options');
  }

  /**
   * Returns the resource that a route names, or the only resource if it names none.
   *
   * @param name - the argument of `@ProtectedResource()`: a resource's `name` or its identifier
   * @param where - the route, for the message
   * @throws {@link McpAuthConfigError} if there is no such resource, or there are several and none is named
   */
  require(name: string | undefined, where: string): ProtectedResource {
    const known = name === undefined ? this.only() : this.named(name);
    if (known) return known;
    const names = this.resources.map(({ options }) => `"${options.name ?? options.resource}"`).join(', ');
    const problem =
      name === undefined
        ? 'does not say which resource it belongs to'
        : `names the unknown resource "${name}"`;
    throw new McpAuthConfigError([
      { path: where, message: `${problem}; add @ProtectedResource() with one of ${names}` },
    ]);
  }

  /** Adds scopes that a resource's handlers need to its metadata. Call before {@link publish}. */
  declareScopes(resource: ProtectedResource, scopes: Iterable<string>): void {
    this.handlerScopes.set(resource, new Set([...(this.handlerScopes.get(resource) ?? []), ...scopes]));
  }

  /** Returns the scopes that the resource's metadata lists. Call after {@link publish}. */
  scopesOf(resource: ProtectedResource): readonly string[] {
    return this.advertised.get(declaredResource(resource)) ?? [];
  }

  /** Builds the documents. Call when all their scopes and issuers are known. */
  publish(): void {
    this.advertised = new Map(this.resources.map((resource) => [resource, this.scopesToAdvertise(resource)]));
    this.challenged = new Map(this.resources.map((each) => [each.options, this.scopesToChallenge(each)]));
    const entries = this.resources.flatMap((resource): [string, Publication][] => {
      const { options, servers } = resource;
      if (options.tenants !== undefined) return [];
      const document = buildResourceMetadata(options, [...servers.keys()], this.scopesOf(resource));
      const served = { resource, document: toServedDocument(document) };
      const path = withoutTrailingSlash(resourceMetadataPath(options.resource));
      return this.options.serveRootAlias
        ? [
            [path, served],
            [PROTECTED_RESOURCE_WELL_KNOWN, served],
          ]
        : [[path, served]];
    });
    this.documents = new Map(entries);
  }

  /** Returns the document at a path, compared exactly, except one trailing slash. */
  documentAt(path: string): ServedDocument | undefined {
    return this.documents.get(withoutTrailingSlash(path))?.document;
  }

  /** Returns the resource that the document at a path describes. */
  describedAt(path: string): ProtectedResource | undefined {
    return this.documents.get(withoutTrailingSlash(path))?.resource;
  }

  private scopesToAdvertise(resource: ProtectedResource): readonly string[] {
    const { scopesSupported, requiredScopes } = resource.options;
    return advertisedScopes(
      scopesSupported ?? [...requiredScopes, ...(this.handlerScopes.get(resource) ?? [])],
    );
  }

  private scopesToChallenge(resource: ProtectedResource): readonly string[] {
    const { challengeScopes, requiredScopes } = resource.options;
    if (challengeScopes === 'required') return requiredScopes;
    if (challengeScopes !== 'all') return challengeScopes;
    return [...new Set([...requiredScopes, ...(this.handlerScopes.get(resource) ?? [])])];
  }

  private only(): ProtectedResource | undefined {
    return this.resources.length === 1 ? this.resources[0] : undefined;
  }

  private named(name: string): ProtectedResource | undefined {
    return this.resources.find(({ options }) => options.name === name || options.resource === name);
  }
}
