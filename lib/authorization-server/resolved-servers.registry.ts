import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type {
  AuthorizationServerResolverClass,
  ResolveAuthorizationServer,
} from '../options/authorization-server-resolver.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import { isClassWith, providerOf } from '../platform/application-provider.js';
import { DynamicAuthorizationServers } from './dynamic-authorization-servers.js';
import { ResolvedServers } from './resolved-servers.js';

const FIX = 'extend AuthorizationServerResolver';

/**
 * Holds the {@link ResolvedServers} of each resource with the option `authorizationServerResolver`.
 *
 * @internal
 */
@Injectable()
export class ResolvedServersRegistry implements OnModuleInit {
  private readonly resolvers = new Map<ResolvedProtectedResourceOptions, ResolveAuthorizationServer>();
  private readonly byResource = new Map<ResolvedProtectedResourceOptions, ResolvedServers>();

  constructor(
    private readonly moduleRef: ModuleRef,
    servers: DynamicAuthorizationServers,
    @Inject(MCP_AUTH_OPTIONS) options: ResolvedMcpAuthOptions,
  ) {
    for (const resource of options.resources) {
      if (resource.authorizationServerResolver === undefined) continue;
      const resolve: ResolveAuthorizationServer = (...asked) => this.resolverOf(resource)(...asked);
      this.byResource.set(resource, new ResolvedServers({ options, resource, servers, resolve }));
    }
  }

  /**
   * Finds all resolvers.
   *
   * @throws {@link McpAuthConfigError} for a class that is not a provider, or has no method `resolve`
   */
  onModuleInit(): void {
    for (const resource of this.byResource.keys()) this.resolverOf(resource);
  }

  /** Returns undefined for a resource that trusts only the servers of its list. */
  of(resource: ResolvedProtectedResourceOptions): ResolvedServers | undefined {
    return this.byResource.get(resource);
  }

  private resolverOf(resource: ResolvedProtectedResourceOptions): ResolveAuthorizationServer {
    const known = this.resolvers.get(resource);
    if (known) return known;
    const resolver = this.find(resource);
    this.resolvers.set(resource, resolver);
    return resolver;
  }

  private find({
    authorizationServerResolver: given,
    resource,
  }: ResolvedProtectedResourceOptions): ResolveAuthorizationServer {
    if (!isClassWith(given, 'resolve')) return given as ResolveAuthorizationServer;
    const role = `is the authorizationServerResolver of ${resource}`;
    const type: AuthorizationServerResolverClass = given;
    const resolver = providerOf(this.moduleRef, type, { role, method: 'resolve', fix: FIX });
    return (...asked) => resolver.resolve(...asked);
  }
}
