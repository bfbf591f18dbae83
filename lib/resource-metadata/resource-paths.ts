import { Injectable } from '@nestjs/common';
import { type ConfigProblem } from '../errors/config.error.js';
import { splitUrl } from '../options/url-rules.js';
import { type KnownResource, ProtectedResourceRegistry } from './protected-resource.registry.js';
import { requestPath } from './resource-metadata-url.js';

/**
 * Finds the resource at or below whose path a request goes, before any router has looked at it.
 *
 * Routers differ in letter case, percent-encoding, doubled slashes, dot segments and what stands behind ";", so a path
 * belongs to a resource in any of these readings: what this finds is guarded, and a path too many does no harm. Where
 * one resource's path is above another's, the longer one counts.
 *
 * @internal
 */
@Injectable()
export class ResourcePaths {
  /** Several for a path that resources share, on different hosts or in different letter case. */
  private readonly byPath = new Map<string, readonly KnownResource[]>();
  private readonly depth: number;

  constructor(resources: ProtectedResourceRegistry) {
    let depth = 0;
    for (const resource of resources.all()) {
      const segments = literalSegments(splitUrl(resource.options.resource).path);
      const path = segments.join('/');
      this.byPath.set(path, [...(this.byPath.get(path) ?? []), resource]);
      depth = Math.max(depth, segments.length);
    }
    this.depth = depth;
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
   * Undefined where there is none, and where several share the path.
   *
   * @param target - a request target as received
   */
  find(target: string): KnownResource | undefined {
    // No client sends "#"; the parsers of Express and Fastify end the path there.
    const [withoutFragment = ''] = target.split('#', 1);
    const literal = literalSegments(requestPath(withoutFragment));
    const isResolved = !literal.some((segment) => segment === '.' || segment === '..');
    return this.above(literal) ?? (isResolved ? undefined : this.above(resolvedSegments(literal)));
  }

  private above(segments: readonly string[]): KnownResource | undefined {
    for (let count = Math.min(segments.length, this.depth); count >= 0; count -= 1) {
      const found = this.byPath.get(segments.slice(0, count).join('/'));
      if (found) return found.length === 1 ? found[0] : undefined;
    }
    return undefined;
  }
}

function literalSegments(path: string): string[] {
  return decoded(path)
    .toLowerCase()
    .split(/[/\\]+/)
    .map((segment) => segment.split(';', 1)[0] ?? '')
    .filter((segment) => segment !== '');
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
