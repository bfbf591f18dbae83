import { Injectable } from '@nestjs/common';
import {
  type KnownResource,
  ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { type McpOperation } from './operations.js';
import { type ScannedHandler } from './handler-scan.js';

/**
 * Knows which scopes each MCP operation needs, from the decorators on its handler.
 *
 * @internal
 */
@Injectable()
export class HandlerScopeRegistry {
  /** A map, so that a tool called `constructor` is no more than a name. */
  private readonly tools = new Map<string, ReadonlySet<string>>();

  constructor(private readonly resources: ProtectedResourceRegistry) {}

  /**
   * Takes in the handlers of the application, and lets the resources advertise what they ask for. Where two
   * servers of one application have a tool of the same name, both tools need the scopes of both.
   */
  register(handlers: readonly ScannedHandler[]): void {
    for (const { tool, scopes, resource } of handlers) {
      if (tool !== undefined) this.tools.set(tool, new Set([...(this.tools.get(tool) ?? []), ...scopes]));
      const owner = this.ownerOf(resource);
      if (owner) this.resources.declareScopes(owner, scopes);
    }
  }

  /** The scopes that the operations need together, each once. An unknown tool needs none: it will not run. */
  scopesFor(operations: readonly McpOperation[]): readonly string[] {
    return [...new Set(operations.flatMap(({ name }) => [...(this.tools.get(name) ?? [])]))];
  }

  private ownerOf(name: string | undefined): KnownResource | undefined {
    const all = this.resources.all();
    return name === undefined && all.length > 1
      ? undefined
      : this.resources.require(name, 'HandlerScopeRegistry');
  }
}
