import { type ConfigProblem, McpAuthConfigError } from '../errors/config.error.js';
import { isBearerAuthGuard } from '../guard/is-bearer-auth-guard.js';
import { commonAcr } from '../policy/user-authentication.js';
import type { ProtectedResourceRegistry } from '../resource/protected-resource.registry.js';
import type { HandlerPlan } from '../mcp/handler-plan.js';
import type { ScannedRoute } from './handler-scan.js';

/**
 * Finds handlers that cannot be protected as they are written, before the first request. Such a handler names an unknown
 * resource, is a guarded route that could belong to several or a tool that is open at one of them, or has decorators that
 * contradict each other.
 *
 * @param handlers - all handlers of the application
 * @param globalGuards - guards that cover every route: instances or classes
 * @param resources - the configured resources
 * @returns the problems of each such handler
 * @internal
 */
export function handlerProblems(
  handlers: readonly HandlerPlan[],
  globalGuards: readonly unknown[],
  resources: ProtectedResourceRegistry,
): readonly ConfigProblem[] {
  return handlers.flatMap((handler) => [
    ...contradictions(handler),
    ...impossible(handler),
    ...unguardedNeeds(handler, globalGuards),
    ...unknownResource(handler, globalGuards, resources),
    ...openAnywhere(handler, resources),
    ...openTenants(handler, resources),
  ]);
}

/** Finds decorators that exclude each other on a handler, those of its class included. */
function contradictions(handler: HandlerPlan): ConfigProblem[] {
  const { where, isSkipped, allowsAnonymous, requirements, authentication, policies } = handler;
  const present = [
    ...(isSkipped ? ['@SkipBearerAuth()'] : []),
    ...(allowsAnonymous ? ['@AllowAnonymous()'] : []),
    ...(requirements.length > 0 ? ['@RequireScopes()'] : []),
    ...(authentication ? ['@RequireAuthentication()'] : []),
    ...(policies ? ['@RequirePolicy()'] : []),
  ];
  if (present.length < 2 || !(isSkipped || allowsAnonymous)) return [];
  const [count, all] =
    present.length === 2 ? ['both', present.join(' and ')] : ['all of', present.join(', ')];
  return [{ path: where, message: `has ${count} ${all}; keep one of them` }];
}

/** Finds handlers that no `acr` satisfies, because their own decorator and that of their class have none in common. */
function impossible({ where, authentication }: HandlerPlan): ConfigProblem[] {
  const lists = authentication?.acr ?? [];
  if (lists.length === 0 || commonAcr(lists).length > 0) return [];
  const all = lists.map((list) => list.map((value) => `"${value}"`).join(', ')).join('; and one of ');
  const message =
    'has several @RequireAuthentication(), of its own or its class, and no "acr" satisfies all of them; let them have one in ' +
    `common: one of ${all}`;
  return [{ path: where, message }];
}

/** Finds unguarded overrides: a decorator puts the guard on its own method, and not on a method that overrides it. */
function unguardedNeeds(handler: HandlerPlan, globalGuards: readonly unknown[]): readonly ConfigProblem[] {
  const { where, requirements, authentication, policies, isSkipped } = handler;
  if (isSkipped || isGuarded(handler, globalGuards)) return [];
  const [decorator] = [
    ...(requirements.length > 0 ? ['@RequireScopes()'] : []),
    ...(authentication ? ['@RequireAuthentication()'] : []),
    ...(policies ? ['@RequirePolicy()'] : []),
  ];
  if (decorator === undefined) return [];
  const message =
    `overrides a method with ${decorator}, and no guard covers it; add ${decorator} or ` +
    '@UseGuards(BearerAuthGuard) to it';
  return [{ path: where, message }];
}

function unknownResource(
  handler: HandlerPlan,
  globalGuards: readonly unknown[],
  resources: ProtectedResourceRegistry,
): readonly ConfigProblem[] {
  const { where, operation, resourceName } = handler;
  if (resourceName === undefined && (operation || !isGuarded(handler, globalGuards))) return [];
  try {
    resources.require(resourceName, where);
    return [];
  } catch (error) {
    if (error instanceof McpAuthConfigError) return error.problems;
    throw error;
  }
}

/** Finds handlers that allow anonymous callers and do not say where. */
function openAnywhere(
  { where: path, operation, allowsAnonymous, resourceName }: HandlerPlan,
  resources: ProtectedResourceRegistry,
): ConfigProblem[] {
  if (!operation || !allowsAnonymous || resourceName !== undefined || !mustNameOpened(resources)) return [];
  const names = resources.all().map(({ options }) => `"${options.name ?? options.resource}"`);
  const message =
    'has @AllowAnonymous() and does not say at which resource, of which one has "anonymousMethods"; add ' +
    `@ProtectedResource() with one of ${names.join(', ')}`;
  return [{ path, message }];
}

/** Finds handlers that allow anonymous callers and belong to a template: who calls without a token belongs to no tenant. */
function openTenants(
  { where: path, allowsAnonymous, resourceName }: HandlerPlan,
  resources: ProtectedResourceRegistry,
): ConfigProblem[] {
  const all = resources.all();
  const own = all.filter(({ options }) =>
    resourceName === undefined ? all.length === 1 : [options.name, options.resource].includes(resourceName),
  );
  if (!allowsAnonymous || !own.some(({ options }) => options.tenants !== undefined)) return [];
  return [
    { path, message: 'has @AllowAnonymous(), which a resource with "tenants" cannot have; leave it out' },
  ];
}

/**
 * Whether a handler that allows anonymous callers must name its resource: there are several, and a name that is open at one of
 * them may be another server's at the next.
 *
 * @internal
 */
export function mustNameOpened(resources: ProtectedResourceRegistry): boolean {
  const all = resources.all();
  return all.length > 1 && all.some(({ options }) => options.anonymousMethods.length > 0);
}

/**
 * Finds handlers with contradictory decorators for scopes and, if every tool must have one, tools without one.
 *
 * @param handlers - all handlers of the application
 * @param policy - the option `undecoratedTools`
 * @internal
 */
export function statementProblems(
  handlers: readonly HandlerPlan[],
  policy: 'allow' | 'deny',
): readonly ConfigProblem[] {
  return handlers.flatMap(({ where: path, operation, requirements, noFurtherScopes }) => {
    const isScoped = requirements.length > 0;
    // On a class it applies to the other handlers.
    if (isScoped && noFurtherScopes === 'method') return [{ path, message: CONTRADICTORY }];
    const isSilent = operation?.kind === 'tool' && !isScoped && noFurtherScopes === undefined;
    return isSilent && policy === 'deny' ? [{ path, message: SILENT }] : [];
  });
}

const CONTRADICTORY =
  'has both @NoFurtherScopes() and @RequireScopes(), of its own or its class; keep one of them';

const SILENT =
  'is a tool that says nothing of scopes, and "undecoratedTools" is "deny"; add @RequireScopes(), or @NoFurtherScopes() ' +
  'if the scopes of the resource suffice';

/**
 * Finds MCP endpoints of @rekog/mcp-nest that no guard covers. There, handlers without `@RequireScopes()` would be public, and
 * those with it would be rejected without a challenge.
 *
 * Other protection of a route, such as a middleware, is not known here, so the application must declare it.
 *
 * @param routes - all routes of the application
 * @param globalGuards - guards that cover every route: instances or classes
 * @returns one problem for each controller
 * @internal
 */
export function unguardedEndpoints(
  routes: readonly ScannedRoute[],
  globalGuards: readonly unknown[],
): readonly ConfigProblem[] {
  const open = routes.filter(
    (route) => route.isMcpEndpoint && !route.isSkipped && !isGuarded(route, globalGuards),
  );
  const message =
    'serves MCP without a guard; add @UseGuards(BearerAuthGuard), or @SkipBearerAuth() where it is for everybody or ' +
    'something else covers it, such as BearerAuthMiddleware';
  return [...new Set(open.map(({ controller }) => controller.name))].map((path) => ({
    path,
    message,
  }));
}

/** Whether the guard covers a route. @internal */
export function isGuarded({ guards, isSkipped }: HandlerPlan, globalGuards: readonly unknown[]): boolean {
  return !isSkipped && [...globalGuards, ...guards].some(isBearerAuthGuard);
}
