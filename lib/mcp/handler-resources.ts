import { declaredResource, type ProtectedResource } from '../resource/protected-resource.registry.js';
import type { McpDeclaration } from './handler-source.js';
import type { McpOperation, McpOperationKind } from './operations.js';
import { readUri, uriMatcher } from './uri-template.js';

/** A tool or prompt by its name, or a resource by its URI or template. @internal */
export type NamedOperation = Pick<McpOperation, 'kind' | 'name'>;

/** A handler that says to which resource it belongs. */
interface OwnedHandler {
  readonly kind: McpOperationKind;
  /** The name, or the URI or template of a resource. */
  readonly name: string;
  readonly covers: ReturnType<typeof uriMatcher> | undefined;
  readonly resource: ProtectedResource;
  /** The server of @rekog/mcp-nest that serves it; undefined if a source declares it. */
  readonly server: unknown;
}

/**
 * Knows which handlers belong to one protected resource. A server of @rekog/mcp-nest serves all its handlers at each of its
 * endpoints, so the endpoint alone does not tell.
 *
 * @internal
 */
export class HandlerResources {
  private readonly handlers: OwnedHandler[] = [];

  /** @param server - the server of @rekog/mcp-nest that serves it; undefined if a source declares it */
  add(
    { kind, name }: Pick<McpDeclaration, 'kind' | 'name'>,
    resource: ProtectedResource,
    server: unknown,
  ): void {
    const covers = kind === 'resource' ? uriMatcher(name) : undefined;
    this.handlers.push({ kind, name, covers, resource, server });
  }

  get hasAny(): boolean {
    return this.handlers.length > 0;
  }

  /**
   * Whether an operation may be asked for at a resource. Handlers that name no resource do not count.
   *
   * Handlers of several servers of @rekog/mcp-nest may share a name. If the server is not known yet, all handlers of one of
   * them must belong to the resource, and the server that runs the operation decides again. Nothing tells the servers of
   * sources apart: each declared name that the operation may be for needs a declaration for the resource.
   *
   * @param server - the server that runs it, if that is known
   */
  belongsTo(operation: NamedOperation, resource: ProtectedResource, server?: unknown): boolean {
    if (this.handlers.length === 0) return true;
    const found = this.handlersOf(operation);
    const declared = declaredResource(resource);
    const isOwn = (each: OwnedHandler): boolean => each.resource === declared;
    if (server !== undefined) return found.filter((each) => each.server === server).every(isOwn);
    const served = found.filter((each) => each.server !== undefined);
    const foreign = new Set(served.filter((each) => !isOwn(each)).map((each) => each.server));
    if (served.length > 0 && served.every((each) => foreign.has(each.server))) return false;
    const ofSources = found.filter((each) => each.server === undefined);
    const own = new Set(ofSources.filter(isOwn).map(({ name }) => name));
    return ofSources.every(({ name }) => own.has(name));
  }

  private handlersOf({ kind, name }: NamedOperation): readonly OwnedHandler[] {
    const ofKind = this.handlers.filter((each) => each.kind === kind);
    if (kind !== 'resource' || ofKind.length === 0) return ofKind.filter((each) => each.name === name);
    const readings = readUri(name);
    return ofKind.filter((each) => each.name === name || each.covers?.(name, readings));
  }
}
