import { RequestMethod, VERSION_NEUTRAL, type VersioningOptions, VersioningType } from '@nestjs/common';
import { type ApplicationConfig } from '@nestjs/core';
import { joinPath, type ScannedRoute } from './handler-scan.js';

/** What main.ts says of where routes stand. @internal */
export interface RouteSettings {
  readonly globalPrefix: string;
  /** Routes that stand outside of the global prefix. */
  readonly excluded: readonly ExcludedRoute[];
  readonly versioning: VersioningOptions | undefined;
}

type Versions = NonNullable<VersioningOptions['defaultVersion']>;

type ExcludedRoute = NonNullable<ReturnType<ApplicationConfig['getGlobalPrefixOptions']>['exclude']>[number];

/** @internal */
export function routeSettings(application: ApplicationConfig): RouteSettings {
  return {
    globalPrefix: application.getGlobalPrefix(),
    excluded: application.getGlobalPrefixOptions().exclude ?? [],
    versioning: application.getVersioning(),
  };
}

/**
 * Where Nest puts a route: behind the global prefix, unless it is excluded from that, and behind its versions if these are
 * in the path.
 *
 * @internal
 */
export function routePaths(route: ScannedRoute, settings: RouteSettings): readonly string[] {
  const { globalPrefix, excluded } = settings;
  return versionSegments(route.version, settings.versioning).flatMap((segment) =>
    route.paths.map((path) => {
      const prefix = isExcluded(path, route.method, excluded) ? '' : globalPrefix;
      return joinPath(prefix, segment, path);
    }),
  );
}

/** One for each version; an empty one if it is not in the path. */
function versionSegments(version: unknown, versioning: VersioningOptions | undefined): readonly string[] {
  if (versioning?.type !== VersioningType.URI) return [''];
  const { prefix = 'v', defaultVersion } = versioning;
  const versions = (version ?? defaultVersion ?? VERSION_NEUTRAL) as Versions;
  return [versions]
    .flat()
    .map((one) => (one === VERSION_NEUTRAL ? '' : `${prefix === false ? '' : prefix}${String(one)}`));
}

/** Exclusions are compared with the path without version. */
function isExcluded(path: string, method: RequestMethod, excluded: readonly ExcludedRoute[]): boolean {
  return excluded.some(
    ({ requestMethod, pathRegex }) =>
      [method, RequestMethod.ALL].includes(requestMethod) && pathRegex.test(path === '' ? '/' : path),
  );
}
