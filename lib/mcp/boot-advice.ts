import { Inject, Injectable, VERSION_NEUTRAL } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { AuthorizationServerRegistry } from '../discovery/authorization-server.registry.js';
import { MCP_AUTH_OPTIONS, WELL_KNOWN_CONTROLLERS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { splitUrl } from '../options/url-rules.js';
import {
  type KnownResource,
  ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { isBearerAuthGuard, isGuarded } from './handler-audit.js';
import { type WellKnownControllers } from '../resource-metadata/well-known.routes.js';
import { type KnownHandlers } from './handler-registration.js';
import { isMovedByVersion, routePaths, type RouteSettings, routeSettings } from './route-paths.js';
import { HandlerScan, joinPath, type ScannedRoute } from './handler-scan.js';
import { scopeAdvice } from './scope-advice.js';
import { shadowedDocuments } from './shadowed-documents.js';
import { unlistedScopes } from './unlisted-scopes.js';

/** What is known of an application's routes when it starts. */
interface RouteSituation extends RouteSettings {
  readonly routes: readonly ScannedRoute[];
  /** Whether it has an MCP server, so that one of the routes is its endpoint. */
  readonly servesMcp: boolean;
  /** Guards that cover every route: instances or classes. */
  readonly globalGuards: readonly unknown[];
}

/**
 * What an application does that is allowed and will trouble its clients; for warnings when it starts.
 *
 * @internal
 */
@Injectable()
export class BootAdvice {
  constructor(
    private readonly application: ApplicationConfig,
    private readonly host: HttpAdapterHost,
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
  about(globalGuards: readonly unknown[], handlers: KnownHandlers): readonly string[] {
    const situation: RouteSituation = {
      routes: this.scan.routes(),
      servesMcp: this.scan.hasMcpHandlers(),
      globalGuards,
      ...routeSettings(this.application),
    };
    return [
      ...(this.controllers.areDecorated ? [] : foreignGuardAdvice(situation)),
      // Early authentication goes by the path of the resource itself, whatever route stands there.
      ...(this.options.earlyAuthentication
        ? []
        : [...misplacedRouteAdvice(situation, this.resources), ...uncoveredAdvice(situation, handlers)]),
      ...this.shadowed(situation),
      ...scopeAdvice(handlers, this.resources),
      ...unlistedScopes(handlers, this.resources, this.servers),
    ];
  }

  /** Fastify goes by how specific a route is, and so does Nest where it is told to. */
  private shadowed(situation: RouteSituation): readonly string[] {
    const { getRouteResolutionStrategy } = this.application as Partial<ApplicationConfig>;
    const isOrdered = getRouteResolutionStrategy?.call(this.application) !== 'specificity';
    // There is none where an application serves no HTTP.
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter?.getType() !== 'express' || !isOrdered) return [];
    const { resources } = this.controllers;
    return shadowedDocuments(
      situation.routes,
      ({ controller }) => controller === resources,
      this.resources.all().map(({ options }) => options.resource),
      situation,
    );
  }
}

/**
 * Names global guards of the application's own: they decide on the well-known documents too, which are for everybody.
 */
function foreignGuardAdvice({ globalGuards }: RouteSituation): readonly string[] {
  return globalGuards
    .filter((guard) => !isBearerAuthGuard(guard))
    .map(
      (guard) =>
        `the global guard ${nameOf(guard)} decides on the well-known documents too, which are for everybody; exempt ` +
        'them by "decorators", an empty list where it lets them pass',
    );
}

/**
 * Says for which resources the guarded routes stand elsewhere than the resource identifier says: clients compare it with
 * the URL that people type. An MCP endpoint takes POST and has to be at the path itself; routes of any other application
 * at it or below. Says nothing where it is not certain: of routes that no guard covers, and of patterns.
 *
 * @param resources - the configured resources; the audit has passed all that routes say of them
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3.3 | RFC 9728 section 3.3}
 */
function misplacedRouteAdvice(
  situation: RouteSituation,
  resources: ProtectedResourceRegistry,
): readonly string[] {
  const { servesMcp } = situation;
  const guarded = situation.routes.filter((route) => isGuarded(route, situation.globalGuards));
  return resources.all().flatMap((resource) => {
    const own = guarded.filter((route) => resources.require(route.resourceName, route.where) === resource);
    const candidates = own.filter(({ takesPost }) => takesPost || !servesMcp);
    const { path } = splitUrl(resource.options.resource);
    const standsAt = (found: string): boolean => stands(found, path, servesMcp);
    if (candidates.length === 0) return [];
    if (candidates.some((route) => routePaths(route, situation).some(standsAt))) return [];
    const moved = candidates.find(
      (route) =>
        isMovedByVersion(route, situation) &&
        routePaths({ ...route, version: VERSION_NEUTRAL }, situation).some(standsAt),
    );
    return [misplaced(resource, path) + (moved ? versioned(routePaths(moved, situation)) : '')];
  });
}

function versioned(paths: readonly string[]): string {
  return (
    `; URI versioning puts the route at ${paths.join(' and ')}: write that path into the resource, or give the controller ` +
    'version: VERSION_NEUTRAL'
  );
}

function misplaced({ options: { resource } }: KnownResource, path: string): string {
  return (
    `${resource}: no guarded route stands at ${path === '' ? '/' : path}; clients refuse a resource that differs from the ` +
    'URL that people type, so write the URL of the endpoint, unless a proxy rewrites the path'
  );
}

/** Says that declared scopes may hold nowhere: what else than a guard covers a route is not known. */
function uncoveredAdvice(situation: RouteSituation, { declared }: KnownHandlers): readonly string[] {
  const isScoped = declared.some(({ requirements }) => requirements.length > 0);
  const isCovered = situation.routes.some(
    (route) => route.takesPost && isGuarded(route, situation.globalGuards),
  );
  if (!isScoped || isCovered) return [];
  return [
    'an McpHandlerSource declares scopes, and no guarded route takes POST; add @UseGuards(BearerAuthGuard) to the route of ' +
      'its server, unless BearerAuthMiddleware covers it',
  ];
}

function stands(route: string, path: string, isExact: boolean): boolean {
  const pattern = segments(route);
  const wanted = segments(path);
  if (pattern.some((segment) => segment.includes('*'))) return true;
  if (isExact ? pattern.length !== wanted.length : pattern.length < wanted.length) return false;
  return wanted.every((segment, index) => isPattern(pattern[index]) || segment === pattern[index]);
}

/** Platforms differ in letter case. */
function segments(path: string): string[] {
  return joinPath(path.toLowerCase()).split('/').slice(1);
}

/** Whether a segment may stand for others than itself, or be spelled otherwise. */
function isPattern(segment = ''): boolean {
  return /[^\w.~-]/.test(segment);
}

/** The class of a guard that is given as a class or as an instance. */
function nameOf(guard: unknown): string {
  return typeof guard === 'function' ? guard.name : String((guard as object | null)?.constructor.name);
}
