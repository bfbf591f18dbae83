import type { MiddlewareConsumer, RequestMethod, Type } from '@nestjs/common';
import { isFastify } from './fastify.js';

/** A route that `forRoutes()` was given. Undocumented. Checked with Nest 11.2.8 to 12.5.1. */
interface MountedRoute {
  readonly path: string;
  readonly method: RequestMethod | -1;
}

/** What one `apply()` with its `forRoutes()` came to. Undocumented. Checked with Nest 11.2.8 to 12.5.1. */
interface MiddlewareConfiguration {
  readonly middleware: unknown;
  readonly forRoutes: readonly MountedRoute[];
}

/**
 * The object behind a `MiddlewareConsumer`: `build()` returns what all modules have configured. Undocumented. Checked with
 * Nest 11.2.8 to 12.5.1.
 */
interface Builder {
  build: (this: Builder) => MiddlewareConfiguration[];
  getHttpAdapter(): { getType(): string };
}

/** The method of a route that was given as a string. Undocumented. Checked with Nest 11.2.8 to 12.5.1. */
const ANY_METHOD = -1;

/** A path whose last segment stands for all that is below it already, in the syntax of now or of before. */
const OPEN_END = /(?:\*\w*|\*"[^"]*"|\(\.\*\)|\+)\}?\/?$/;

const patched = new WeakSet();

/**
 * Lets a middleware cover what is below the strings in `forRoutes()` on Fastify too. Nest mounts a string as a prefix on
 * Express, and for that very path on Fastify.
 *
 * Routes by method and of controllers stand for their own paths on both platforms, and stay as they are.
 *
 * @param consumer - of any module, while the modules of the application configure their middleware. Nest reads what they
 * configured only after all of them have been asked
 * @param middleware - the class; what extends it is covered likewise, which Nest makes of it for `exclude()`
 * @internal
 */
export function coverSubtrees(consumer: MiddlewareConsumer, middleware: Type): void {
  const prototype = Object.getPrototypeOf(consumer) as Builder;
  if (patched.has(prototype)) return;
  const { build } = prototype;
  prototype.build = function (this: Builder): MiddlewareConfiguration[] {
    const all = build.call(this);
    if (!isFastify(this.getHttpAdapter())) return all;
    return all.flatMap((each) => [each, ...subtrees(each, middleware)]);
  };
  patched.add(prototype);
}

/** The middleware alone: what else is in the chain stays where it is. */
function subtrees(
  { middleware: chain, forRoutes }: MiddlewareConfiguration,
  middleware: Type,
): MiddlewareConfiguration[] {
  const applied = [chain].flat().filter((each) => isOrExtends(each, middleware));
  const below = forRoutes
    .filter(({ method, path }) => method === ANY_METHOD && !OPEN_END.test(path))
    .map((route) => ({ ...route, path: `${route.path.replace(/\/$/, '')}/*below` }));
  return applied.length > 0 && below.length > 0 ? [{ middleware: applied, forRoutes: below }] : [];
}

function isOrExtends(type: unknown, middleware: Type): boolean {
  return typeof type === 'function' && (type === middleware || type.prototype instanceof middleware);
}
