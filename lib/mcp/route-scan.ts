import { Injectable, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { PROTECTED_RESOURCE, SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';

/** Metadata keys of Nest and @nestjs/microservices, which no package root exports. */
const ROUTE_PATH = 'path';
const ROUTE_METHOD = 'method';
const ROUTE_GUARDS = '__guards__';
const ROUTE_VERSION = '__version__';
const MODULE_PATH = '__module_path__';
const PATTERN_EXTRAS = 'microservices:pattern_extras';

/** One HTTP route of the application. @internal */
export interface ScannedRoute {
  /** `Class.method`, for messages. */
  readonly where: string;
  /** Where it stands, behind the path of its module and before any prefix or version: `/a/b`, or empty. */
  readonly paths: readonly string[];
  /** What `@Version()` or `@Controller()` takes. */
  readonly version: unknown;
  /** Whether it takes POST, as an MCP endpoint does. */
  readonly takesPost: boolean;
  /** What `@ProtectedResource()` names on the method, else on the class. */
  readonly resource: string | undefined;
  /** What `@UseGuards()` names on the class and on the method. */
  readonly guards: readonly unknown[];
  /** Whether `@SkipBearerAuth()` is on the method or the class. */
  readonly isSkipped: boolean;
}

/** A controller's method, with the path that RouterModule puts before the routes of its module. */
interface Method {
  readonly controller: object & { readonly name: string };
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
    return this.methods().filter(isRoute).map(toRoute);
  }

  /** Whether the application has handlers of an MCP server: tools and whatever else @rekog/mcp-nest knows. */
  hasMcpHandlers(): boolean {
    return this.methods().some(({ handler }) => {
      const extras = Reflect.getMetadata(PATTERN_EXTRAS, handler) as { mcpType?: unknown } | undefined;
      return extras?.mcpType !== undefined;
    });
  }

  private methods(): readonly Method[] {
    return this.discovery.getControllers().flatMap(({ metatype, host }) => {
      if (typeof metatype !== 'function') return [];
      const prototype = metatype.prototype as Record<string, unknown>;
      const modulePath = this.modulePath(host?.metatype);
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name];
        return typeof handler === 'function' ? [{ controller: metatype, name, handler, modulePath }] : [];
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

function isRoute({ handler }: Method): boolean {
  return Reflect.hasMetadata(ROUTE_PATH, handler) && Reflect.hasMetadata(ROUTE_METHOD, handler);
}

function toRoute({ controller, name, handler, modulePath }: Method): ScannedRoute {
  const nearest = (key: string): unknown =>
    Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller);
  const method = Reflect.getMetadata(ROUTE_METHOD, handler) as RequestMethod;
  return {
    where: `${controller.name}.${name}`,
    paths: pathsOf(controller).flatMap((above) =>
      pathsOf(handler).map((below) => joinPath(modulePath, above, below)),
    ),
    version: nearest(ROUTE_VERSION),
    takesPost: method === RequestMethod.POST || method === RequestMethod.ALL,
    resource: nearest(PROTECTED_RESOURCE) as string | undefined,
    guards: [controller, handler].flatMap(
      (target) => (Reflect.getMetadata(ROUTE_GUARDS, target) ?? []) as readonly unknown[],
    ),
    isSkipped: nearest(SKIP_BEARER_AUTH) === true,
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
