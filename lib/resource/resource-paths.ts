import { Injectable } from '@nestjs/common';
import type { ConfigProblem } from '../errors/config.error.js';
import { splitUrl } from '../options/url-rules.js';
import { type ProtectedResource, ProtectedResourceRegistry } from './protected-resource.registry.js';
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
  /** Several for a path that resources share, on different hosts or in different letter case. */
  private readonly byPath = new Map<string, readonly ProtectedResource[]>();
  private readonly depth: number;
  /** By the path as it is written, which is how most requests write it. */
  private readonly asWritten = new Map<string, ProtectedResource>();

  constructor(resources: ProtectedResourceRegistry) {
    let depth = 0;
    for (const resource of resources.all()) {
      const segments = literalSegments(splitUrl(resource.options.resource).path);
      const path = segments.join('/');
      this.byPath.set(path, [...(this.byPath.get(path) ?? []), resource]);
      depth = Math.max(depth, segments.length);
    }
    this.depth = depth;
    for (const { options } of resources.all()) {
      const { path } = splitUrl(options.resource);
      const found = this.search(path);
      if (found) this.asWritten.set(path, found);
    }
  }

  /** What is wrong where every resource has to be found by its path: those that share one. */
  problems(): readonly ConfigProblem[] {
    return [...this.byPath.values()]
      .filter((sharing) => sharing.length > 1)
      .map((sharing) => {
        const names = sharing.map(({ options }) => `"${options.resource}"`).join(' and ');
        return {
          path: 'earlyAuthentication',
          message: `cannot tell ${names} apart by their paths; give them different paths, or leave it out`,
        };
      });
  }

  /**
   * @param target - a request target as received
   * @returns undefined for a path that is no resource's, and for one that several share
   */
  find(target: string): ProtectedResource | undefined {
    return this.asWritten.get(target) ?? this.search(target);
  }

  private search(target: string): ProtectedResource | undefined {
    let found: readonly ProtectedResource[] = [];
    let foundAt = -1;
    for (const segments of readings(requestPath(target))) {
      for (let count = Math.min(segments.length, this.depth); count > foundAt; count -= 1) {
        const path = segments.slice(0, count).join('/');
        const sharing = this.byPath.get(path);
        if (!sharing) continue;
        found = sharing;
        foundAt = count;
      }
    }
    return found.length === 1 ? found[0] : undefined;
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

/** Every escape for itself, so that a malformed one hides no other; what is not UTF-8 matches nothing. */
function decoded(path: string): string {
  return path.replace(/(?:%[\da-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
  );
}
