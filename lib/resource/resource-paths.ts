import { Injectable } from '@nestjs/common';
import type { ConfigProblem } from '../errors/config.error.js';
import { TENANT_VARIABLE } from '../options/resource-template.js';
import { splitUrl } from '../options/url-rules.js';
import { hasDots, literalSegments } from './path-segments.js';
import { type ProtectedResource, ProtectedResourceRegistry } from './protected-resource.registry.js';
import { requestPath } from './resource-metadata-url.js';

/** The path that RFC 8615 reserves for well-known documents, which are public. */
const WELL_KNOWN = '/.well-known/';

/**
 * Most paths that are remembered as belonging to no resource, and the longest of their targets, in characters. A path is a part
 * of its target, and keeps all of it in memory.
 */
const MAX_OTHERS = 1000;
const MAX_TARGET_LENGTH = 200;

/**
 * Finds the resource whose path is the path of a request or a parent of it, before any router reads the request.
 *
 * Routers, and libraries that match requests themselves, read paths differently: letter case, percent-encoding, doubled
 * slashes, dot segments, and text after ";" or "#". A path belongs to a resource if any of these readings does. Paths found
 * here are guarded, and guarding one path too many does no harm. Of several resources, the one with the longest path wins.
 *
 * @internal
 */
@Injectable()
export class ResourcePaths {
  /** A path has several resources if they share it, on different hosts or in different letter case. */
  private readonly byPath = new Map<string, readonly ProtectedResource[]>();
  /** The segments of each template; `{tenant}` stands for any segment. */
  private readonly templates: readonly {
    readonly segments: readonly string[];
    readonly resource: ProtectedResource;
  }[];
  private readonly depth: number;
  /** By the path as configured, which most requests use unchanged. */
  private readonly asWritten = new Map<string, ProtectedResource>();
  /** Paths that belong to no resource (row "routes no resource covers"). Clients choose them, so their number is limited. */
  private readonly others = new Set<string>();

  constructor(resources: ProtectedResourceRegistry) {
    let depth = 0;
    const templates: { segments: readonly string[]; resource: ProtectedResource }[] = [];
    for (const resource of resources.all()) {
      const segments = literalSegments(splitUrl(resource.options.resource).path);
      depth = Math.max(depth, segments.length);
      if (resource.options.tenants !== undefined) {
        templates.push({ segments, resource });
        continue;
      }
      const path = segments.join('/');
      this.byPath.set(path, [...(this.byPath.get(path) ?? []), resource]);
    }
    this.templates = templates;
    this.depth = depth;
    for (const { options } of resources.all()) {
      if (options.tenants !== undefined) continue;
      const { path } = splitUrl(options.resource);
      const found = this.search(path);
      if (found) this.asWritten.set(path, found);
    }
  }

  /** Returns a problem for each path that several resources share: they cannot be found by their path. */
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
   * @returns a template if the path may be that of a tenant; undefined if the path belongs to no resource, or if several share it
   */
  find(target: string): ProtectedResource | undefined {
    const known = this.asWritten.get(target);
    if (known) return known;
    const path = requestPath(target);
    if (this.others.has(path)) return undefined;
    const found = this.search(path);
    if (!found && target.length <= MAX_TARGET_LENGTH) {
      if (this.others.size >= MAX_OTHERS) this.others.clear();
      this.others.add(path);
    }
    return found;
  }

  private search(requested: string): ProtectedResource | undefined {
    let found: readonly ProtectedResource[] = [];
    let foundAt = -1;
    for (const segments of readings(requested)) {
      for (let count = Math.min(segments.length, this.depth); count > foundAt; count -= 1) {
        const path = segments.slice(0, count).join('/');
        const sharing = this.byPath.get(path) ?? this.templateOf(segments, count);
        if (!sharing) continue;
        found = sharing;
        foundAt = count;
      }
    }
    return found.length === 1 ? found[0] : undefined;
  }

  /** Returns the template that a number of segments may stand for. A resource of the same path takes precedence. */
  private templateOf(requested: readonly string[], count: number): readonly ProtectedResource[] | undefined {
    if (this.templates.length === 0) return undefined;
    const found = this.templates.find(
      ({ segments }) =>
        segments.length === count &&
        segments.every((segment, index) => segment === requested[index] || segment === TENANT_VARIABLE),
    );
    return found && [found.resource];
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

/** Returns the segments of a path, in each way that programs read it. */
function readings(path: string): readonly (readonly string[])[] {
  const literal = literalSegments(path);
  // After two slashes a URL parser reads the first segment as a host.
  const all = /^[/\\]{2}/.test(path) ? [literal, literal.slice(1)] : [literal];
  return hasDots(literal) ? all.flatMap((segments) => [segments, resolvedSegments(segments)]) : all;
}

function resolvedSegments(segments: readonly string[]): string[] {
  const resolved: string[] = [];
  for (const segment of segments) {
    if (segment === '..') resolved.pop();
    else if (segment !== '.') resolved.push(segment);
  }
  return resolved;
}
