import { VERSION_NEUTRAL, type VersioningOptions, VersioningType } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import { prefixOf } from '../platform/nest-prefix.js';
import { joinPath, type ScannedRoute } from './handler-scan.js';

type Versions = NonNullable<VersioningOptions['defaultVersion']>;

/**
 * Returns the paths of a route in Nest: after the global prefix, unless it is excluded from that, and after its versions if
 * these are in the path.
 *
 * @param application - its global prefix and its versioning, as main.ts has set them
 * @internal
 */
export function routePaths(route: ScannedRoute, application: ApplicationConfig): readonly string[] {
  return versionSegments(route.version, application.getVersioning()).flatMap((segment) =>
    route.paths.map((path) => joinPath(prefixOf(path, route.method, application), segment, path)),
  );
}

/** Returns one segment for each version; an empty one if the version is not in the path. */
function versionSegments(version: unknown, versioning: VersioningOptions | undefined): readonly string[] {
  if (versioning?.type !== VersioningType.URI) return [''];
  const { prefix = 'v', defaultVersion } = versioning;
  const versions = (version ?? defaultVersion ?? VERSION_NEUTRAL) as Versions;
  return [versions]
    .flat()
    .map((one) => (one === VERSION_NEUTRAL ? '' : `${prefix === false ? '' : prefix}${String(one)}`));
}
