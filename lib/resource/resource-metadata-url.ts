import { PROTECTED_RESOURCE_WELL_KNOWN } from '../mcp-auth.constants.js';
import { splitUrl } from '../options/url-rules.js';

/**
 * The path at which a resource's metadata is served: the well-known string stands between host and path.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3.1 | RFC 9728 section 3.1}
 * @internal
 */
export function resourceMetadataPath(resource: string): string {
  const { path } = splitUrl(resource);
  return `${PROTECTED_RESOURCE_WELL_KNOWN}${path === '/' ? '' : path}`;
}

/** The address of a resource's metadata, on the resource's own origin as it is configured. @internal */
export function resourceMetadataUrl(resource: string): string {
  return `${splitUrl(resource).origin}${resourceMetadataPath(resource)}`;
}

/**
 * The path of a request target, to the letter: nothing is decoded or resolved. A target in absolute form
 * (`GET http://host/path`) loses its scheme and host.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 | RFC 9112 section 3.2}
 * @internal
 */
export function requestPath(target: string): string {
  const [withoutQuery = ''] = target.split('?', 1);
  return withoutQuery.startsWith('/') ? withoutQuery : splitUrl(withoutQuery).path;
}

/** Scheme and authority of a target in absolute form, up to the path. Characters of the authority: RFC 3986 section 3.2. */
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[\w.~!$&'()*+,;=:@%[\]-]+(?:\/|$)/i;

/**
 * Whether a request target has a form in which its path can be told: a path, scheme and authority with a path or without
 * one, or `*`. Routers and this package read different paths from any other, such as `http://host?/path`.
 *
 * @param target - a request target as received
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 | RFC 9112 section 3.2}
 * @internal
 */
export function isRequestTarget(target: string): boolean {
  return target.startsWith('/') || target === '*' || ABSOLUTE_FORM.test(target);
}

/** A path without one slash at its end: requests may have it or not. @internal */
export function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
