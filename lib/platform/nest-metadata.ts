/** Metadata keys of Nest and @nestjs/microservices, which no package root exports. @internal */
export const ROUTE_PATH = 'path';
/** @internal */
export const ROUTE_METHOD = 'method';
/** @internal */
export const ROUTE_GUARDS = '__guards__';
/** @internal */
export const ROUTE_VERSION = '__version__';
/** What `RouterModule` writes; behind it comes the id of the application. @internal */
export const MODULE_PATH = '__module_path__';
/** @internal */
export const PATTERN_EXTRAS = 'microservices:pattern_extras';
/** @internal */
export const PATTERN_TRANSPORT = 'microservices:transport';

/** Whether a method is an HTTP route. @internal */
export function isRoute(method: object): boolean {
  return Reflect.hasMetadata(ROUTE_PATH, method) && Reflect.hasMetadata(ROUTE_METHOD, method);
}

/** What a decorator wrote on a class and on one of its methods, put together. @internal */
export function both(key: string, controller: object, method: object): readonly unknown[] {
  return [controller, method].flatMap(
    (target) => (Reflect.getMetadata(key, target) ?? []) as readonly unknown[],
  );
}

/** What a decorator wrote on a method, else on its class. @internal */
export function nearest(key: string, controller: object, method: object): unknown {
  return Reflect.getMetadata(key, method) ?? Reflect.getMetadata(key, controller);
}
