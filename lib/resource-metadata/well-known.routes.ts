import { type Type } from '@nestjs/common';

/** Metadata keys of Nest's route decorators and of `RouterModule`, which no package root exports. */
const ROUTE_PATH = 'path';
const MODULE_PATH = '__module_path__';

/**
 * Says at which paths below its own a well-known controller answers. Before Nest makes its routes; no path, no route.
 *
 * @internal
 */
export function routeWellKnown(controller: Type<object>, paths: readonly string[]): void {
  const { serve } = controller.prototype as { serve: object };
  Reflect.defineMetadata(ROUTE_PATH, paths, serve);
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
