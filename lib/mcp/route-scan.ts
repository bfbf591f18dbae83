import { Injectable, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { PROTECTED_RESOURCE, SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';
import { handsToTransport } from '../platform/mcp-nest.js';
import {
  both,
  EVENT_STREAM,
  isMarked,
  isRoute,
  MODULE_PATH,
  nearest,
  ROUTE_FILTERS,
  ROUTE_GUARDS,
  ROUTE_METHOD,
  ROUTE_PATH,
  ROUTE_VERSION,
} from '../platform/nest-metadata.js';
import { servedOperation } from './handler-scan.js';

/** One HTTP route of the application. @internal */
export interface ScannedRoute {
  /** `Class.method`, for messages. */
  readonly where: string;
  /** Where it stands, behind the path of its module and before any prefix or version: `/a/b`, or empty. */
  readonly paths: readonly string[];
  /** What `@Version()` or `@Controller()` takes. */
  readonly version: unknown;
  /** The class that it is a method of. */
  readonly controller: object;
  readonly method: RequestMethod;
  readonly takesGet: boolean;
  /** Whether it takes POST, as an MCP endpoint does. */
  readonly takesPost: boolean;
  /** What `@ProtectedResource()` names on the method, else on the class. */
  readonly resource: string | undefined;
  /** What `@UseGuards()` names on the class and on the method. */
  readonly guards: readonly unknown[];
  /** Whether `@SkipBearerAuth()` is on the method or the class itself. */
  readonly isSkipped: boolean;
  /** Whether it hands its requests to a transport of @rekog/mcp-nest, as far as its code tells. */
  readonly isMcpEndpoint: boolean;
}

/** A handler, and the exception filters that stand nearest to it. @internal */
export interface FilteredHandler {
  readonly handler: object;
  readonly isMcp: boolean;
  readonly filters: readonly unknown[];
}

/** A controller's method, with the path that RouterModule puts before the routes of its module. */
interface Method {
  readonly controller: object & { readonly name: string; readonly prototype: object };
  readonly name: string;
  readonly handler: object;
  readonly modulePath: string;
}

/**
 * Finds where the routes of the application stand. Reads what decorators and RouterModule wrote; makes and calls
 * nothing.
 *
 * @internal
 */
@Injectable()
export class RouteScan {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly modules: ModulesContainer,
  ) {}

  routes(): readonly ScannedRoute[] {
    return this.methods()
      .filter(({ handler }) => isRoute(handler))
      .map(toRoute);
  }

  /** The handlers that `@Sse()` is on. */
  eventStreams(): readonly object[] {
    return this.methods()
      .map(({ handler }) => handler)
      .filter((handler) => Reflect.getMetadata(EVENT_STREAM, handler) === true);
  }

  /** Routes and the handlers of MCP servers, with what `@UseFilters()` names on the class and on the method. */
  filteredHandlers(): readonly FilteredHandler[] {
    return this.methods().flatMap(({ controller, handler }) => {
      const isMcp = servedOperation(handler) !== undefined;
      const filters = both(ROUTE_FILTERS, controller, handler);
      return isMcp || isRoute(handler) ? [{ handler, isMcp, filters }] : [];
    });
  }

  /** Whether the application has handlers of an MCP server: tools and whatever else @rekog/mcp-nest knows. */
  hasMcpHandlers(): boolean {
    return this.methods().some(({ handler }) => servedOperation(handler) !== undefined);
  }

  private methods(): readonly Method[] {
    return this.discovery.getControllers().flatMap(({ metatype, host }) => {
      if (typeof metatype !== 'function') return [];
      const controller = metatype as Method['controller'];
      const prototype = controller.prototype as Record<string, unknown>;
      const modulePath = this.modulePath(host?.metatype);
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name];
        return typeof handler === 'function' ? [{ controller, name, handler, modulePath }] : [];
      });
    });
  }

  private modulePath(module: object | undefined): string {
    if (!module) return '';
    const own: unknown = Reflect.getMetadata(`${MODULE_PATH}${this.modules.applicationId}`, module);
    const path: unknown = own ?? Reflect.getMetadata(MODULE_PATH, module);
    return typeof path === 'string' ? path : '';
  }
}

function toRoute({ controller, name, handler, modulePath }: Method): ScannedRoute {
  const method = Reflect.getMetadata(ROUTE_METHOD, handler) as RequestMethod;
  return {
    where: `${controller.name}.${name}`,
    paths: pathsOf(controller).flatMap((above) =>
      pathsOf(handler).map((below) => joinPath(modulePath, above, below)),
    ),
    version: nearest(ROUTE_VERSION, controller, handler),
    controller,
    method,
    takesGet: method === RequestMethod.GET || method === RequestMethod.ALL,
    takesPost: method === RequestMethod.POST || method === RequestMethod.ALL,
    resource: nearest(PROTECTED_RESOURCE, controller, handler) as string | undefined,
    guards: both(ROUTE_GUARDS, controller, handler),
    isSkipped: isMarked(SKIP_BEARER_AUTH, controller, handler),
    isMcpEndpoint: handsToTransport(controller, name),
  };
}

function pathsOf(target: object): string[] {
  return [Reflect.getMetadata(ROUTE_PATH, target) as string | string[]].flat();
}

/** All segments of these parts, with one slash before each and none at the end. @internal */
export function joinPath(...parts: readonly string[]): string {
  return parts
    .flatMap((part) => part.split('/'))
    .filter((segment) => segment !== '')
    .map((segment) => `/${segment}`)
    .join('');
}
