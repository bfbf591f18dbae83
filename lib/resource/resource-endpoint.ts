import { splitUrl } from '../options/url-rules.js';
import type { ProtectedResource } from './protected-resource.registry.js';
import { withoutTrailingSlash } from './resource-metadata-url.js';

/** The part of a platform's request that has its target. */
interface RoutedRequest {
  /** As received. */
  readonly originalUrl?: string | undefined;
  /** As routed: other code may have changed it. Middleware gets it without the path that it is mounted at. */
  readonly url?: string | undefined;
  /** What a router of Express has removed from `url`. */
  readonly baseUrl?: string | undefined;
  /** Node's request, if this is Fastify's, whose `url` is whole. */
  readonly raw?: unknown;
}

/**
 * Returns whether a request is exactly at the path of its resource, where the MCP endpoint is, both as received and as routed.
 * Routers accept other spellings, and routes at other paths may be of another kind: both are not the endpoint.
 *
 * @internal
 */
export function isAtResource(request: RoutedRequest, { options }: ProtectedResource): boolean {
  const { originalUrl, url = '' } = request;
  const path = splitUrl(options.resource).path || '/';
  return pathOf(originalUrl ?? url) === path && isRoutedTo(path, request);
}

function isRoutedTo(path: string, { url = '', baseUrl, raw }: RoutedRequest): boolean {
  const routed = pathOf(url);
  if (baseUrl !== undefined) return withoutTrailingSlash(baseUrl + routed) === withoutTrailingSlash(path);
  return routed === path || (raw === undefined && (routed === '/' || path.endsWith(routed)));
}

function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}
