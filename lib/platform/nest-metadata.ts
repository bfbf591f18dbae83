import type { ExceptionFilter, NestInterceptor, RequestMethod } from '@nestjs/common';

/*
 * Metadata keys and values that Nest's decorators and modules write. Nest exports no name for them from its package roots,
 * so all of them are undocumented. Checked with Nest 11.2.8 to 12.5.1.
 */

/** What `@Controller()` and the decorators of HTTP methods write. */
const ROUTE_PATH = 'path';
const ROUTE_METHOD = 'method';
const ROUTE_VERSION = '__version__';
/** What `@Sse()` writes, with `true`. */
const EVENT_STREAM = '__sse__';
const GUARDS = '__guards__';
const INTERCEPTORS = '__interceptors__';
const FILTERS = '__exceptionFilters__';
/** What `RouterModule` writes; behind it comes the id of the application. */
const MODULE_PATH = '__module_path__';
/** What decorators of parameters write for a method: an object with a key `kind:index` for each. */
const ROUTE_ARGUMENTS = '__routeArguments__';
/** The types that TypeScript writes for the parameters of a method. Nest hands them to pipes. */
const PARAMETER_TYPES = 'design:paramtypes';

/** The kinds of parameters that are the platform's own objects, as `ROUTE_ARGUMENTS` has them. @internal */
export const PLATFORM_ARGUMENT = { request: '0', response: '1', next: '2' } as const;

/** A class, whatever it takes. @internal */
export type Class = abstract new (...args: never[]) => object;

/** Whether a method is an HTTP route. @internal */
export function isRoute(method: object): boolean {
  return Reflect.hasMetadata(ROUTE_PATH, method) && Reflect.hasMetadata(ROUTE_METHOD, method);
}

/** The HTTP method of a route. @internal */
export function httpMethodOf(route: object): RequestMethod {
  return Reflect.getMetadata(ROUTE_METHOD, route) as RequestMethod;
}

/** The paths of a controller or of a route, as they were written. @internal */
export function pathsOf(target: object): string[] {
  return [Reflect.getMetadata(ROUTE_PATH, target) as string | string[]].flat();
}

/** Replaces the paths of a controller or of a route, before Nest makes its routes. Without a path there is no route. @internal */
export function setPaths(target: object, paths: readonly string[]): void {
  Reflect.defineMetadata(ROUTE_PATH, paths, target);
}

/** The version of a route, as `@Version()` or `@Controller()` has it. @internal */
export function versionOf(controller: object, route: object): unknown {
  return Reflect.getMetadata(ROUTE_VERSION, route) ?? Reflect.getMetadata(ROUTE_VERSION, controller);
}

/** Whether a method is an event stream of Nest, by `@Sse()`. @internal */
export function isSse(method: object): boolean {
  return Reflect.getMetadata(EVENT_STREAM, method) === true;
}

/** The path that `RouterModule` gives to all controllers of a module; empty if there is none. @internal */
export function modulePathOf(module: object, applicationId: string): string {
  const own: unknown = Reflect.getMetadata(`${MODULE_PATH}${applicationId}`, module);
  const path: unknown = own ?? Reflect.getMetadata(MODULE_PATH, module);
  return typeof path === 'string' ? path : '';
}

/** Removes the path that `RouterModule` gives to all controllers of a module, before Nest makes its routes. @internal */
export function dropModulePath(module: object): void {
  for (const key of Reflect.getMetadataKeys(module)) {
    if (typeof key === 'string' && key.startsWith(MODULE_PATH)) Reflect.deleteMetadata(key, module);
  }
}

/**
 * The kinds of the parameters of a route, as {@link PLATFORM_ARGUMENT} has them, among others.
 *
 * @param name - the name of the method in its class
 * @internal
 */
export function argumentKinds(controller: object, name: PropertyKey): readonly (string | undefined)[] {
  const parameters = (Reflect.getMetadata(ROUTE_ARGUMENTS, controller, name as string) ?? {}) as object;
  return Object.keys(parameters).map((key) => key.split(':', 1)[0]);
}

/**
 * Whether a route may write its response itself: it is handed the platform's request, response or `next`, or it is an event
 * stream of Nest. What a parameter decorator of the application hands over is not known.
 *
 * @param name - the name of the method in its class; without one its parameters are not known
 * @internal
 */
export function mayWriteResponse(controller: object, method: object, name: PropertyKey | undefined): boolean {
  if (name === undefined || isSse(method)) return true;
  const kinds = argumentKinds(controller, name);
  return Object.values(PLATFORM_ARGUMENT).some((kind) => kinds.includes(kind));
}

/** What `@UseGuards()` names on a class or a method. @internal */
export function guardsOn(target: object): readonly unknown[] {
  return (Reflect.getMetadata(GUARDS, target) ?? []) as readonly unknown[];
}

/** Puts an interceptor next to a handler, inside of those that the application has, once. @internal */
export function interceptInnermost(method: object, interceptor: NestInterceptor): void {
  putLast(INTERCEPTORS, method, interceptor);
}

/** Puts an exception filter next to a handler, once. Nest asks this one before all others. @internal */
export function filterInnermost(method: object, filter: ExceptionFilter): void {
  putLast(FILTERS, method, filter);
}

function putLast(key: string, method: object, enhancer: object): void {
  const others = (Reflect.getMetadata(key, method) ?? []) as readonly unknown[];
  if (!others.includes(enhancer)) Reflect.defineMetadata(key, [...others, enhancer], method);
}

/**
 * Hides the type of a parameter from pipes. A pipe that knows a class would make an instance of it, copy into that and
 * check it.
 *
 * @internal
 */
export function hideParameterType(target: object, method: string | symbol, index: number): void {
  const types: unknown = Reflect.getMetadata(PARAMETER_TYPES, target, method);
  if (!Array.isArray(types)) return;
  const told: unknown[] = types.map((type: unknown, at) => (at === index ? Object : type));
  Reflect.defineMetadata(PARAMETER_TYPES, told, target, method);
}

/** Where decorators of a handler stand. */
interface HandlerPlace {
  /** The name of the method in its class; undefined if it is in none of the classes. */
  readonly name: PropertyKey | undefined;
  /** The classes, then the method and those that it overrides, each the most general first. */
  readonly targets: readonly object[];
}

/** Finds a method in a class or in those that it extends, and the methods that it overrides. @internal */
export function handlerPlace(controller: Class, method: object): HandlerPlace {
  const prototypes = chainOf(controller.prototype as object);
  const names = prototypes.map((prototype) =>
    Reflect.ownKeys(prototype).find((key) => valueOf(prototype, key) === method),
  );
  const owner = names.map((name) => name !== undefined).lastIndexOf(true);
  const name = names[owner];
  if (name === undefined) return { name, targets: [...chainOf(controller), method] };
  const values = prototypes.slice(0, owner + 1).map((prototype) => valueOf(prototype, name));
  const methods = values.filter((value): value is () => unknown => typeof value === 'function');
  return { name, targets: [...chainOf(controller), ...methods] };
}

function valueOf(prototype: object, name: PropertyKey): unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)?.value;
}

/** An object and its prototypes, the most general first. @internal */
export function chainOf(object: object): readonly object[] {
  const above = Object.getPrototypeOf(object) as object | null;
  return above === null ? [object] : [...chainOf(above), object];
}

/** What `@UseFilters()` names on a class or a method. @internal */
export function filtersOn(target: object): readonly unknown[] {
  return (Reflect.getMetadata(FILTERS, target) ?? []) as readonly unknown[];
}

/** Whether a decorator marks a method or its class, and not only a class that this one extends. @internal */
export function isMarked(key: string, controller: object, method: object): boolean {
  return [method, controller].some((target) => Reflect.getOwnMetadata(key, target) === true);
}
