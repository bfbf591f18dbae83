import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { type ConfigProblem, McpAuthConfigError } from '../errors/config.error.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { splitUrl } from '../options/url-rules.js';
import { beforeMounts, onStrategy } from '../platform/mcp-nest.js';
import { ProtectedResourceRegistry } from '../resource/protected-resource.registry.js';
import { ResourcePaths } from '../resource/resource-paths.js';
import { HandlerScan } from './handler-scan.js';

/** A path that every router matches literally. */
const LITERAL_PATH = /^\/[\w.~/-]*$/;

/**
 * Finds routes that a transport of @rekog/mcp-nest mounts on the platform by itself, where no guard of Nest covers them. Nest
 * reports a transport when it is connected, but the transport's routes are known only when it starts. So such a route is
 * rejected at that moment: it is never mounted, and the application does not start.
 *
 * Early authentication covers a route at or below the path of a resource.
 *
 * @internal
 */
@Injectable()
export class SelfMountedRoutes {
  private readonly isWatching: boolean;

  constructor(
    modules: ModulesContainer,
    private readonly host: HttpAdapterHost,
    private readonly handlers: HandlerScan,
    private readonly resources: ProtectedResourceRegistry,
    private readonly paths: ResourcePaths,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {
    this.isWatching = onStrategy(modules, ({ options: { transports } }) => {
      for (const transport of transports) {
        beforeMounts(transport, (path, adapter) => {
          this.assertCovered(path, adapter, transport);
        });
      }
    });
  }

  /** Returns a problem if Nest does not report transports, and there are handlers that a transport may serve. */
  problems(): readonly ConfigProblem[] {
    if (this.isWatching || !this.handlers.hasMcpHandlers()) return [];
    const message =
      'does not tell of transports that mount routes by themselves, past all guards; update it to 11.1.6 or later';
    return [{ path: '@nestjs/core', message }];
  }

  private assertCovered(path: unknown, adapter: object, transport: object): void {
    if (this.isCovered(path, adapter)) return;
    const paths = this.resources
      .all()
      .map(({ options }) => splitUrl(options.resource).path || '/')
      .join(' or ');
    const message =
      `mounts a route of its own${typeof path === 'string' ? ` at ${path}` : ''}, which no guard covers; let a controller ` +
      'own it: @UseGuards(BearerAuthGuard) class Endpoint extends McpHttpControllerFor(transport); or set ' +
      `"earlyAuthentication" and mount it at or below ${paths}`;
    throw new McpAuthConfigError([{ path: transport.constructor.name, message }]);
  }

  private isCovered(path: unknown, adapter: object): boolean {
    if (!this.options.earlyAuthentication || adapter !== this.host.httpAdapter) return false;
    if (typeof path !== 'string' || !LITERAL_PATH.test(path)) return false;
    return !this.paths.isWellKnown(path) && this.paths.find(path) !== undefined;
  }
}
