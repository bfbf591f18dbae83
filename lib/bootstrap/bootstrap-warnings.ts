import { Inject, Injectable, VERSION_NEUTRAL } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { AuthorizationServerRegistry } from '../authorization-server/authorization-server.registry.js';
import { MCP_AUTH_OPTIONS, WELL_KNOWN_CONTROLLERS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { splitUrl } from '../options/url-rules.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import type { WellKnownControllers } from '../resource/well-known.controllers.js';
import { isBearerAuthGuard } from '../guard/is-bearer-auth-guard.js';
import { isGuarded } from './handler-audit.js';
import type { KnownHandlers } from './handler-registration.js';
import { HandlerScan, joinPath } from './handler-scan.js';
import { mcpNestWarnings } from './mcp-nest-warnings.js';
import { routePaths } from './route-paths.js';
import { scopeWarnings } from './scope-warnings.js';
import { sessionWarnings } from './session-warnings.js';

/**
 * Finds settings that are allowed but cause problems for clients; for warnings at bootstrap.
 *
 * @internal
 */
@Injectable()
export class BootstrapWarnings {
  constructor(
    private readonly application: ApplicationConfig,
    private readonly scan: HandlerScan,
    private readonly resources: ProtectedResourceRegistry,
    private readonly servers: AuthorizationServerRegistry,
    @Inject(WELL_KNOWN_CONTROLLERS) private readonly controllers: WellKnownControllers,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /**
   * @param globalGuards - guards that cover every route: instances or classes
   * @param handlers - all handlers of the application
   */
  of(globalGuards: readonly unknown[], handlers: KnownHandlers): readonly string[] {
    return [
      ...(this.controllers.areDecorated ? [] : foreignGuards(globalGuards)),
      // Early authentication covers the path of the resource itself, whatever its route.
      ...(this.options.earlyAuthentication ? [] : this.misplacedRoutes(globalGuards)),
      ...scopeWarnings(handlers, this.resources, this.servers),
      ...this.mcpNestWarnings(),
      ...sessionWarnings(this.options),
    ];
  }

  private mcpNestWarnings(): readonly string[] {
    const isOpen = this.resources.all().some(({ options }) => options.allowAnonymous);
    return mcpNestWarnings(this.scan.decoratedTools(), this.options.requestUser?.property, isOpen);
  }

  /**
   * Warns of resources whose guarded routes are not at the resource identifier: clients compare it with the URL that people
   * type. An MCP endpoint accepts POST and must be at the path itself; routes of any other application at it or below. Does
   * not warn in uncertain cases: of routes that no guard covers, and of patterns.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3.3 | RFC 9728 section 3.3}
   */
  private misplacedRoutes(globalGuards: readonly unknown[]): readonly string[] {
    const servesMcp = this.scan.hasMcpHandlers();
    const guarded = this.scan
      .routes()
      .filter((route) => isGuarded(route, globalGuards) && (route.takesPost || !servesMcp));
    return this.resources.all().flatMap((resource) => {
      const { path } = splitUrl(resource.options.resource);
      const own = guarded.filter(
        ({ resourceName, where }) => this.resources.require(resourceName, where) === resource,
      );
      const standsAt = (found: string): boolean => stands(found, path, servesMcp);
      if (own.length === 0 || own.some((route) => routePaths(route, this.application).some(standsAt)))
        return [];
      const moved = own.find((route) =>
        routePaths({ ...route, version: VERSION_NEUTRAL }, this.application).some(standsAt),
      );
      return [misplaced(resource, path) + (moved ? versioned(routePaths(moved, this.application)) : '')];
    });
  }
}

/** Warns of the application's own global guards: they also guard the well-known documents, which are public. */
function foreignGuards(globalGuards: readonly unknown[]): readonly string[] {
  return globalGuards
    .filter((guard) => !isBearerAuthGuard(guard))
    .map(
      (guard) =>
        `the global guard ${nameOf(guard)} decides on the well-known documents too, which are for everybody; exempt ` +
        'them by "decorators", an empty list where it lets them pass',
    );
}

/** Returns the class name of a guard: of a class, or of an instance. */
function nameOf(guard: unknown): string {
  return typeof guard === 'function' ? guard.name : String((guard as object | null)?.constructor.name);
}

function misplaced({ options: { resource } }: ProtectedResource, path: string): string {
  return (
    `${resource}: no guarded route stands at ${path === '' ? '/' : path}; clients reject a resource that differs from the ` +
    'URL that people type, so write the URL of the endpoint, unless a proxy rewrites the path'
  );
}

function versioned(paths: readonly string[]): string {
  return (
    `; URI versioning puts the route at ${paths.join(' and ')}: write that path into the resource, or give the controller ` +
    'version: VERSION_NEUTRAL'
  );
}

function stands(route: string, path: string, isExact: boolean): boolean {
  const pattern = segments(route);
  const wanted = segments(path);
  if (pattern.some((segment) => segment.includes('*'))) return true;
  if (isExact ? pattern.length !== wanted.length : pattern.length < wanted.length) return false;
  return wanted.every((segment, index) => isPattern(pattern[index]) || segment === pattern[index]);
}

/** Lower case, because platforms differ in case sensitivity. */
function segments(path: string): string[] {
  return joinPath(path.toLowerCase()).split('/').slice(1);
}

/** Whether a segment may match other segments, or another spelling. */
function isPattern(segment = ''): boolean {
  return /[^\w.~-]/.test(segment);
}
