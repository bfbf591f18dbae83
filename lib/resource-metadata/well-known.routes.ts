import { type Type } from '@nestjs/common';

/** Metadata key of Nest's route decorators, which no package root exports. */
const ROUTE_PATH = 'path';

/**
 * Says at which paths below its own a well-known controller answers. Before Nest makes its routes; no path, no route.
 *
 * @internal
 */
export function routeWellKnown(controller: Type<object>, paths: readonly string[]): void {
  const { serve } = controller.prototype as { serve: object };
  Reflect.defineMetadata(ROUTE_PATH, paths, serve);
}
