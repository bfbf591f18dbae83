import { type ExceptionFilter, type NestInterceptor } from '@nestjs/common';

/** Metadata keys of Nest and @nestjs/microservices, which no package root exports. @internal */
export const ROUTE_PATH = 'path';
/** @internal */
export const ROUTE_METHOD = 'method';
/** @internal */
export const ROUTE_GUARDS = '__guards__';
/** @internal */
export const ROUTE_FILTERS = '__exceptionFilters__';
/** @internal */
export const ROUTE_INTERCEPTORS = '__interceptors__';
/** What `@Sse()` writes. @internal */
export const EVENT_STREAM = '__sse__';
/** @internal */
export const ROUTE_VERSION = '__version__';
/** What `RouterModule` writes; behind it comes the id of the application. @internal */
export const MODULE_PATH = '__module_path__';
/** @internal */
export const PATTERN_EXTRAS = 'microservices:pattern_extras';
/** @internal */
export const PATTERN_TRANSPORT = 'microservices:transport';

/** A class, whatever it takes. @internal */
export type Class = abstract new (...args: never[]) => object;

/** Whether a method is an HTTP route. @internal */
export function isRoute(method: object): boolean {
  return Reflect.hasMetadata(ROUTE_PATH, method) && Reflect.hasMetadata(ROUTE_METHOD, method);
}

/** What Nest knows of the parameters of routes; the request, the response and `next` come first in it. */
export const ROUTE_ARGUMENTS = '__routeArguments__';

/**
 * Whether a route may write its response itself: it is handed the platform's request, response or `next`, or it is an event
 * stream of Nest. What a parameter decorator of the application hands over is not known.
 *
 * @param name - the name of the method in its class; without one its parameters are not known
 * @internal
 */
export function mayWriteResponse(controller: object, method: object, name: PropertyKey | undefined): boolean {
  if (name === undefined || Reflect.getMetadata(EVENT_STREAM, method) === true) return true;
  const parameters = (Reflect.getMetadata(ROUTE_ARGUMENTS, controller, name as string) ?? {}) as object;
  return Object.keys(parameters).some((key) => /^[012]:/.test(key));
}

/** Puts an interceptor next to a handler, inside of those that the application has, once. @internal */
export function interceptInnermost(method: object, interceptor: NestInterceptor): void {
  putLast(ROUTE_INTERCEPTORS, method, interceptor);
}

/** Puts an exception filter next to a handler, once. Nest asks this one before all others. @internal */
export function filterInnermost(method: object, filter: ExceptionFilter): void {
  putLast(ROUTE_FILTERS, method, filter);
}

function putLast(key: string, method: object, enhancer: object): void {
  const others = (Reflect.getMetadata(key, method) ?? []) as readonly unknown[];
  if (!others.includes(enhancer)) Reflect.defineMetadata(key, [...others, enhancer], method);
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

/** An object and its prototypes, the most general first. */
function chainOf(object: object): readonly object[] {
  const above = Object.getPrototypeOf(object) as object | null;
  return above === null ? [object] : [...chainOf(above), object];
}

/** What decorators such as `@UseGuards()` name on a class, then on its method. @internal */
export function namedOn(key: string, controller: Class, method: object): readonly unknown[] {
  return [controller, method].flatMap(
    (target) => (Reflect.getMetadata(key, target) ?? []) as readonly unknown[],
  );
}

/** Whether a decorator marks a method or its class, and not only a class that this one extends. @internal */
export function isMarked(key: string, controller: object, method: object): boolean {
  return [method, controller].some((target) => Reflect.getOwnMetadata(key, target) === true);
}
