import { Injectable } from '@nestjs/common';
import { splitUrl } from '../options/url-rules.js';
import { type KnownResource, ProtectedResourceRegistry } from './protected-resource.registry.js';
import { requestPath } from './resource-metadata-url.js';

/** What RFC 8615 keeps for documents that anybody may read. */
const WELL_KNOWN = '/.well-known/';

/**
 * Finds the resource at or below whose path a request goes, before any router has looked at it.
 *
 * Routers, and libraries that look for their requests by themselves, differ in letter case, percent-encoding, doubled
 * slashes, dot segments, and in what stands behind ";" or "#". A path belongs to a resource in any of these readings: what
 * this finds is guarded, and a path too many does no harm. Of several resources the one with the longest path counts.
 *
 * @internal
 */
@Injectable()
export class ResourcePaths {
  /** Resources whose paths are the same, so that a path does not tell them apart. */
  readonly ambiguous: readonly KnownResource[];
  private readonly byPath = new Map<string, KnownResource | undefined>();
  private readonly depth: number;

  constructor(resources: ProtectedResourceRegistry) {
    const paths = resources.all().map((resource) => {
      const segments = literalSegments(splitUrl(resource.options.resource).path);
      return { resource, path: segments.join('/'), depth: segments.length };
    });
    for (const { path, resource } of paths) {
      this.byPath.set(path, this.byPath.has(path) ? undefined : resource);
    }
    this.depth = Math.max(0, ...paths.map(({ depth }) => depth));
    this.ambiguous = paths
      .filter(({ path }) => this.byPath.get(path) === undefined)
      .map(({ resource }) => resource);
  }

  /**
   * @param target - a request target as received
   * @returns undefined for a path that is no resource's, and for one of {@link ambiguous}
   */
  find(target: string): KnownResource | undefined {
    let found: KnownResource | undefined;
    let foundAt = -1;
    for (const segments of readings(requestPath(target))) {
      for (let count = Math.min(segments.length, this.depth); count > foundAt; count -= 1) {
        const path = segments.slice(0, count).join('/');
        if (!this.byPath.has(path)) continue;
        found = this.byPath.get(path);
        foundAt = count;
      }
    }
    return found;
  }

  /**
   * Whether a request is for a well-known document, in every reading.
   *
   * @param target - a request target as received
   */
  isWellKnown(target: string): boolean {
    return target.startsWith(WELL_KNOWN) && !hasDots(literalSegments(requestPath(target)));
  }
}

/** The segments of a path, as different programs take it. */
function readings(path: string): readonly (readonly string[])[] {
  const literal = literalSegments(path);
  // Behind two slashes a URL parser takes the first segment for a host.
  const all = /^[/\\]{2}/.test(path) ? [literal, literal.slice(1)] : [literal];
  return hasDots(literal) ? all.flatMap((segments) => [segments, resolvedSegments(segments)]) : all;
}

function literalSegments(path: string): string[] {
  return decoded(path)
    .toLowerCase()
    .split(/[/\\]+/)
    .map((segment) => segment.split(/[;?#]/, 1)[0] ?? '')
    .filter((segment) => segment !== '');
}

function hasDots(segments: readonly string[]): boolean {
  return segments.includes('.') || segments.includes('..');
}

function resolvedSegments(segments: readonly string[]): string[] {
  const resolved: string[] = [];
  for (const segment of segments) {
    if (segment === '..') resolved.pop();
    else if (segment !== '.') resolved.push(segment);
  }
  return resolved;
}

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    // Some programs decode what they can.
    return path.replace(/%([0-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
  }
}
