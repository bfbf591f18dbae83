import { RequestMethod } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';

/*
 * How Nest keeps the routes that `setGlobalPrefix()` excludes: `path`, `requestMethod` and `pathRegex` of each.
 * Undocumented. Checked with Nest 11.2.8 to 12.5.1.
 */

/**
 * Excludes a path from the global prefix, before Nest makes its routes.
 *
 * @param end - what may follow the path, as the source of a regular expression
 * @internal
 */
export function excludeFromPrefix(application: ApplicationConfig, path: string, end: string): void {
  const options = application.getGlobalPrefixOptions();
  const pathRegex = new RegExp(`^${path.replace('.', '\\.')}${end}`);
  const route = { path, requestMethod: RequestMethod.ALL, pathRegex };
  application.setGlobalPrefixOptions({ ...options, exclude: [...(options.exclude ?? []), route] });
}

/** The global prefix of a route; empty if the route is excluded from it. Exclusions say a path without its version. @internal */
export function prefixOf(path: string, method: RequestMethod, application: ApplicationConfig): string {
  const { exclude = [] } = application.getGlobalPrefixOptions();
  const isExcluded = exclude.some(
    ({ requestMethod, pathRegex }) =>
      [method, RequestMethod.ALL].includes(requestMethod) && pathRegex.test(path === '' ? '/' : path),
  );
  return isExcluded ? '' : application.getGlobalPrefix();
}
