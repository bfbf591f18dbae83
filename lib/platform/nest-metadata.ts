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
 * @internal
 */
export function mayWriteResponse(controller: object, method: object & { readonly name: string }): boolean {
  if (Reflect.getMetadata(EVENT_STREAM, method) === true) return true;
  const parameters = (Reflect.getMetadata(ROUTE_ARGUMENTS, controller, method.name) ?? {}) as object;
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

/** What a decorator wrote on a class and on one of its methods, put together. @internal */
export function both(key: string, controller: object, method: object): readonly unknown[] {
  return [controller, method].flatMap(
    (target) => (Reflect.getMetadata(key, target) ?? []) as readonly unknown[],
  );
}

/**
 * What a decorator wrote on a class and on one of its methods, on the classes that it extends, and on the methods that this
 * one overrides: all of it, the base class first and methods last.
 *
 * @internal
 */
export function inherited(key: string, controller: Class, method: object): readonly unknown[] {
  const methods = overriddenBy(method, chainOf(controller.prototype as object));
  return [...chainOf(controller), ...methods].flatMap(
    (target) => (Reflect.getOwnMetadata(key, target) ?? []) as readonly unknown[],
  );
}

/** A method, and those of the same name in the classes below which it stands. */
function overriddenBy(method: object, prototypes: readonly object[]): readonly object[] {
  const valueOf = (prototype: object, name: PropertyKey): unknown =>
    Object.getOwnPropertyDescriptor(prototype, name)?.value;
  for (const owner of [...prototypes].reverse()) {
    const name = Reflect.ownKeys(owner).find((key) => valueOf(owner, key) === method);
    if (name === undefined) continue;
    const values = prototypes.slice(0, prototypes.indexOf(owner) + 1).map((each) => valueOf(each, name));
    return values.filter((value) => typeof value === 'function');
  }
  return [method];
}

/** An object and its prototypes, the most general first. */
function chainOf(object: object): readonly object[] {
  const above = Object.getPrototypeOf(object) as object | null;
  return above === null ? [object] : [...chainOf(above), object];
}

/** Whether a decorator marks a method or its class, and not only a class that this one extends. @internal */
export function isMarked(key: string, controller: object, method: object): boolean {
  return [method, controller].some((target) => Reflect.getOwnMetadata(key, target) === true);
}

/** What a decorator wrote on a method, else on its class. @internal */
export function nearest(key: string, controller: object, method: object): unknown {
  return Reflect.getMetadata(key, method) ?? Reflect.getMetadata(key, controller);
}
