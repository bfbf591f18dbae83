import { type Type } from '@nestjs/common';
import { MODULE_PATH, ROUTE_PATH } from '../platform/nest-metadata.js';

/** The controller classes that a module has for its well-known routes. @internal */
export interface WellKnownControllers {
  /** Serves the documents of resources. */
  readonly resources: Type<object>;
  /** Serves the copy of an authorization server's metadata. */
  readonly mirror: Type<object>;
  /** Whether the application gave decorators for them, and so has thought of its own global guards. */
  readonly areDecorated: boolean;
}

/**
 * Says at which paths below its own a well-known controller answers, in the platform's spelling. Before Nest makes its
 * routes.
 *
 * @internal
 */
export function routeBelow(controller: Type<object>, paths: readonly string[]): void {
  const { serve } = controller.prototype as { serve: object };
  Reflect.defineMetadata(ROUTE_PATH, paths, serve);
}

/** Says at which paths a well-known controller stands. Before Nest makes its routes; no path, no route. @internal */
export function routeAt(controller: Type<object>, paths: readonly string[]): void {
  Reflect.defineMetadata(ROUTE_PATH, paths, controller);
}

/**
 * Takes away the path that `RouterModule` gives to all controllers of a module: well-known controllers stand at the root.
 * Before Nest makes its routes. `RouterModule` has a key for each application of the process.
 *
 * @internal
 */
export function dropModulePath(module: Type<object>): void {
  for (const key of Reflect.getMetadataKeys(module)) {
    if (typeof key === 'string' && key.startsWith(MODULE_PATH)) Reflect.deleteMetadata(key, module);
  }
}
