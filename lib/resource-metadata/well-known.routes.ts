import { type Type } from '@nestjs/common';

/** Metadata key of Nest's route decorators, which no package root exports. */
const ROUTE_PATH = 'path';

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
