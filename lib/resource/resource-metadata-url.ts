import { PROTECTED_RESOURCE_WELL_KNOWN } from '../mcp-auth.constants.js';
import { splitUrl } from '../options/url-rules.js';

/**
 * Returns the path of a resource's metadata: the well-known string is inserted between host and path.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3.1 | RFC 9728 section 3.1}
 * @internal
 */
export function resourceMetadataPath(resource: string): string {
  const { path } = splitUrl(resource);
  return `${PROTECTED_RESOURCE_WELL_KNOWN}${path === '/' ? '' : path}`;
}

/** Returns the URL of a resource's metadata, on the resource's origin as configured. @internal */
export function resourceMetadataUrl(resource: string): string {
  return `${splitUrl(resource).origin}${resourceMetadataPath(resource)}`;
}

/**
 * Returns the path of a request target unchanged: nothing is decoded or resolved. If the target has absolute form
 * (`GET http://host/path`), scheme and host are removed.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 | RFC 9112 section 3.2}
 * @internal
 */
export function requestPath(target: string): string {
  const [withoutQuery = ''] = target.split('?', 1);
  return withoutQuery.startsWith('/') ? withoutQuery : splitUrl(withoutQuery).path;
}

/** Matches scheme and authority of a target in absolute form. Characters of the authority: RFC 3986 section 3.2. */
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[\w.~!$&'()*+,;=:@%[\]-]+(?:\/|$)/i;

/**
 * Whether a request target has a form with an unambiguous path: a path, scheme and authority with or without a path, or
 * `*`. Routers and this package read different paths from other forms, such as `http://host?/path`.
 *
 * @param target - a request target as received
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 | RFC 9112 section 3.2}
 * @internal
 */
export function isRequestTarget(target: string): boolean {
  return target.startsWith('/') || target === '*' || ABSOLUTE_FORM.test(target);
}

/** Returns a path without one slash at its end: requests may have it or not. @internal */
export function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
