import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { AuthorizationServerRegistry } from '../authorization-server/authorization-server.registry.js';
import { OperatorLogger } from '../events/operator.logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { isGuarded } from './handler-audit.js';
import { HandlerScan } from './handler-scan.js';
import { registrationAdvice } from './registration-advice.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import { resourceWarnings } from '../resource/resource-warnings.js';
import { BearerAuthMiddleware } from '../guard/bearer-auth.middleware.js';

/**
 * Logs which resources the application protects and what to check of their servers. Warns of unprotected resources: no
 * guarded route serves them, and neither the middleware nor early authentication covers them.
 *
 * @internal
 */
@Injectable()
export class ResourceReport {
  private readonly logger = new OperatorLogger();

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly modules: ModulesContainer,
    private readonly scan: HandlerScan,
    private readonly resources: ProtectedResourceRegistry,
    private readonly servers: AuthorizationServerRegistry,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'earlyAuthentication'>,
  ) {}

  /**
   * Call it after the audit has passed the resources of routes. Without HTTP, it logs nothing about protection.
   *
   * @param globalGuards - guards that cover every route: instances or classes
   */
  write(globalGuards: readonly unknown[]): void {
    const hasHttp = Boolean(this.host.httpAdapter as object | null);
    const isProtected = this.protection(globalGuards);
    for (const resource of this.resources.all()) {
      if (hasHttp) this.writeProtection(resource, isProtected(resource));
      const { options } = resource;
      for (const warning of resourceWarnings(options)) this.logger.warn(`${options.resource}: ${warning}`);
    }
    for (const advice of registrationAdvice(this.resources, this.servers)) this.logger.log(advice);
  }

  private writeProtection({ options, metadataUrl, servers }: ProtectedResource, isProtected: boolean): void {
    const { resource, name = resource } = options;
    if (isProtected) {
      const issuers =
        options.tenants === undefined ? [...servers.keys()].join(', ') : 'the servers of each tenant';
      const others = options.authorizationServerResolver ? ', and others that its resolver knows' : '';
      this.logger.log(`Protecting ${resource} (metadata at ${metadataUrl}, tokens from ${issuers}${others})`);
      return;
    }
    const naming = this.resources.all().length > 1 ? ` and @ProtectedResource('${name}')` : '';
    this.logger.warn(
      `${resource}: no guarded route serves it, so it is not protected; add @UseGuards(BearerAuthGuard)${naming} to the ` +
        'controller that serves it, unless BearerAuthMiddleware or ResourceTokenVerifier protects it',
    );
  }

  private protection(globalGuards: readonly unknown[]): (resource: ProtectedResource) => boolean {
    if (this.options.earlyAuthentication || this.hasMiddleware()) return () => true;
    const served = this.scan
      .routes()
      .filter((route) => isGuarded(route, globalGuards))
      .map((route) => this.resources.require(route.resourceName, route.where));
    return (resource) => served.includes(resource);
  }

  /** Whether a module applies the middleware. Middleware that an application installs without a module is not known. */
  private hasMiddleware(): boolean {
    const applied = [...this.modules.values()].flatMap(({ middlewares }) => [...middlewares.values()]);
    return applied.some(({ metatype }) => isMiddleware(metatype));
  }
}

function isMiddleware(type: unknown): boolean {
  if (typeof type !== 'function') return false;
  return type === BearerAuthMiddleware || type.prototype instanceof BearerAuthMiddleware;
}
