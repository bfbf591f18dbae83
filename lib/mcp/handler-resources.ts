import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { type McpDeclaration } from './handler-source.js';
import { type McpOperation, type McpOperationKind } from './operations.js';
import { readUri, uriMatcher } from './uri-template.js';

/** A handler that says to which resource it belongs. */
interface OwnedHandler {
  readonly kind: McpOperationKind;
  /** The name, or the URI or template of a resource. */
  readonly name: string;
  readonly covers: ReturnType<typeof uriMatcher> | undefined;
  readonly resource: KnownResource;
  /** The MCP server that serves it. */
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

  /** @param server - the server that serves it; handlers of one server are told apart by nothing but their name */
  add({ kind, name }: McpDeclaration, resource: KnownResource, server: unknown): void {
    const covers = kind === 'resource' ? uriMatcher(name) : undefined;
    this.handlers.push({ kind, name, covers, resource, server });
  }

  /**
   * Whether an operation may be asked for at a resource. Handlers of several servers may share a name. Then all handlers
   * of one of these servers must belong to the resource. Handlers that name no resource do not count beside those that do.
   */
  admits(operation: McpOperation, resource: KnownResource): boolean {
    if (this.handlers.length === 0) return true;
    const found = this.handlersOf(operation);
    const foreign = new Set(found.filter((each) => each.resource !== resource).map(({ server }) => server));
    return found.length === 0 || found.some(({ server }) => !foreign.has(server));
  }

  private handlersOf({ kind, name }: McpOperation): readonly OwnedHandler[] {
    const ofKind = this.handlers.filter((each) => each.kind === kind);
    if (kind !== 'resource' || ofKind.length === 0) return ofKind.filter((each) => each.name === name);
    const readings = readUri(name);
    return ofKind.filter((each) => each.name === name || each.covers?.(name, readings));
  }
}
