import { VERSION_NEUTRAL, type VersioningOptions } from '@nestjs/common';
import { resourceMetadataPath } from '../resource-metadata/resource-metadata-url.js';
import { joinPath, type ScannedRoute } from './handler-scan.js';

/**
 * Names routes of the application that take requests for metadata documents, where the platform goes by the order of
 * routes: clients get what those answer in place of the document.
 *
 * Of a route that is excepted from the global prefix, or is there for some versions only, nothing is said.
 *
 * @param routes - all routes, in their order
 * @param isOwn - tells the routes of the documents themselves
 * @param resources - the identifiers of the resources
 * @param application - its global prefix and its versioning
 * @internal
 */
export function shadowedDocuments(
  routes: readonly ScannedRoute[],
  isOwn: (route: ScannedRoute) => boolean,
  resources: readonly string[],
  { globalPrefix, versioning }: { globalPrefix: string; versioning: VersioningOptions | undefined },
): readonly string[] {
  const own = routes.findIndex(isOwn);
  const before = routes
    .slice(0, Math.max(own, 0))
    .filter((route) => route.takesGet && isForAll(route, versioning));
  return resources.flatMap((resource) => {
    const document = resourceMetadataPath(resource);
    const shadowing = before.find(({ paths }) =>
      paths.some((path) => takes(joinPath(globalPrefix, path), document)),
    );
    return shadowing ? [shadowed(shadowing, document)] : [];
  });
}

function shadowed({ where }: ScannedRoute, document: string): string {
  return (
    `${where}: answers requests for ${document}, which is the metadata document; give it another path, or move it to a ` +
    'module that is imported after McpAuthModule'
  );
}

function isForAll({ version }: ScannedRoute, versioning: VersioningOptions | undefined): boolean {
  const own = version ?? versioning?.defaultVersion ?? VERSION_NEUTRAL;
  return !versioning || own === VERSION_NEUTRAL;
}

/** Whether a pattern of Express takes a path, as far as whole segments tell: of any other pattern it is not known. */
function takes(pattern: string, path: string): boolean {
  const wanted = path.toLowerCase().split('/');
  const given = pattern.toLowerCase().split('/');
  const takesRest = /^(?:\*\w*|\{\*\w+\})$/.test(given.at(-1) ?? '');
  const literal = takesRest ? given.slice(0, -1) : given;
  const isLongEnough = takesRest ? wanted.length > literal.length : wanted.length === literal.length;
  return (
    isLongEnough && literal.every((segment, index) => /^:\w+$/.test(segment) || segment === wanted[index])
  );
}
