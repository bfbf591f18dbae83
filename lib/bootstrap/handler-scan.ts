import { Injectable, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { accessDecorators, handsToTransport } from '../platform/mcp-nest.js';
import {
  type Class,
  httpMethodOf,
  isRoute,
  filtersOn,
  isSse,
  modulePathOf,
  pathsOf,
  versionOf,
} from '../platform/nest-metadata.js';
import { type HandlerPlan, HandlerPlans } from '../mcp/handler-plan.js';
import type { DecoratedHandler } from './mcp-nest-warnings.js';

/** One HTTP route of the application. @internal */
export interface ScannedRoute extends HandlerPlan {
  /** Its paths, after the path of its module and before any prefix or version: `/a/b`, or empty. */
  readonly paths: readonly string[];
  /** The version from `@Version()` or `@Controller()`. */
  readonly version: unknown;
  readonly method: RequestMethod;
  /** Whether it accepts POST, as an MCP endpoint does. */
  readonly takesPost: boolean;
  /** Whether it passes its requests to a transport of @rekog/mcp-nest, as far as its code shows. */
  readonly isMcpEndpoint: boolean;
}

/** A handler, and the exception filters on its method and class. @internal */
export interface FilteredHandler {
  readonly handler: object;
  readonly isMcp: boolean;
  readonly filters: readonly unknown[];
}

/** A controller's method, with the path that RouterModule puts before the routes of its module. */
interface Method {
  readonly controller: Class;
  readonly name: string;
  readonly handler: (...args: never[]) => unknown;
  readonly modulePath: string;
}

/**
 * Finds the handlers of all controllers: HTTP routes, and the tools, prompts and resources of @rekog/mcp-nest, which are
 * controllers' methods too. Reads the metadata of decorators and RouterModule; creates and calls nothing.
 *
 * @internal
 */
@Injectable()
export class HandlerScan {
  private found: readonly Method[] | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly modules: ModulesContainer,
    private readonly plans: HandlerPlans,
  ) {}

  /** Returns HTTP routes and handlers of MCP servers. */
  handlers(): readonly HandlerPlan[] {
    return this.methods().flatMap(({ controller, handler }) => {
      const plan = this.plans.of(controller, handler);
      return plan.operation || isRoute(handler) ? [plan] : [];
    });
  }

  routes(): readonly ScannedRoute[] {
    return this.methods()
      .filter(({ handler }) => isRoute(handler))
      .map((method) => ({ ...this.plans.of(method.controller, method.handler), ...routeOf(method) }));
  }

  /** Returns the handlers with `@Sse()`. */
  eventStreams(): readonly object[] {
    return this.methods()
      .map(({ handler }) => handler)
      .filter((handler) => isSse(handler));
  }

  /** Returns HTTP routes and handlers of MCP servers, with the filters of `@UseFilters()` on the class and on the method. */
  filteredHandlers(): readonly FilteredHandler[] {
    return this.methods().flatMap(({ controller, handler }) => {
      const isMcp = this.plans.of(controller, handler).operation !== undefined;
      const filters = [...filtersOn(controller), ...filtersOn(handler)];
      return isMcp || isRoute(handler) ? [{ handler, isMcp, filters }] : [];
    });
  }

  /** Returns the tools with decorators of @rekog/mcp-nest that control access. */
  decoratedTools(): readonly DecoratedHandler[] {
    return this.methods().flatMap(({ controller, handler }) => {
      const { operation, where, allowsAnonymous } = this.plans.of(controller, handler);
      const decorators = operation ? accessDecorators(handler) : [];
      return decorators.length > 0 ? [{ where, allowsAnonymous, decorators }] : [];
    });
  }

  /** Whether the application has handlers of an MCP server: tools and all other kinds of @rekog/mcp-nest. */
  hasMcpHandlers(): boolean {
    return this.handlers().some(({ operation }) => operation !== undefined);
  }

  /** Nest knows all controllers before it calls `configure()` of a module. */
  private methods(): readonly Method[] {
    return (this.found ??= this.discovery.getControllers().flatMap(({ metatype, host }) => {
      if (typeof metatype !== 'function') return [];
      const controller = metatype as Class;
      const prototype = controller.prototype as Record<string, unknown>;
      const module = host?.metatype;
      const modulePath = module ? modulePathOf(module, this.modules.applicationId) : '';
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name];
        return typeof handler === 'function'
          ? [{ controller, name, handler: handler as Method['handler'], modulePath }]
          : [];
      });
    }));
  }
}

function routeOf({ controller, name, handler, modulePath }: Method): Omit<ScannedRoute, keyof HandlerPlan> {
  const method = httpMethodOf(handler);
  return {
    paths: pathsOf(controller).flatMap((above) =>
      pathsOf(handler).map((below) => joinPath(modulePath, above, below)),
    ),
    version: versionOf(controller, handler),
    method,
    takesPost: method === RequestMethod.POST || method === RequestMethod.ALL,
    isMcpEndpoint: handsToTransport(controller, name),
  };
}

/** Joins all segments of these parts, with one slash before each and none at the end. @internal */
export function joinPath(...parts: readonly string[]): string {
  return parts
    .flatMap((part) => part.split('/'))
    .filter((segment) => segment !== '')
    .map((segment) => `/${segment}`)
    .join('');
}
