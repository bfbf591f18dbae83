import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import { HandlerResources } from './handler-resources.js';
import type { McpDeclaration } from './handler-source.js';
import type { McpOperation } from './operations.js';
import type { OperationNeed } from './operation-needs.js';
import { namedScopes, type ScopedCall, type ScopeRequirement } from './scope-requirement.js';
import { readUri, uriMatcher } from './uri-template.js';

/** A declaration, with what is known of the handler if it is a method of a controller. @internal */
export interface DeclaredHandler extends McpDeclaration {
  /** The server of @rekog/mcp-nest that serves it. */
  readonly server?: unknown;
  /** Whether the guard checks it again. */
  readonly isGuarded?: boolean;
}

/** How a tool treats callers without a token, if they reach it. @internal */
export interface AnonymousAccess {
  /** Whether a guard on the tool rejects them, unless its resource allows them. */
  readonly isGuarded: boolean;
  /** Whether the tool says that it serves them, and does more for other callers. */
  readonly isOptional: boolean;
}

/** A resource or template, and which URIs it may stand for. */
interface ScopedUri extends OperationNeed {
  readonly covers: ReturnType<typeof uriMatcher>;
}

/**
 * Finds the scopes that each MCP operation needs, from the declarations of handlers.
 *
 * If two servers of one application have a tool of the same name, it needs the scopes of both. The same holds for a URI
 * that several templates may match.
 *
 * @internal
 */
@Injectable()
export class HandlerScopeRegistry {
  /** Maps, so that a tool called `constructor` has no special meaning. */
  private readonly named = {
    tool: new Map<string, readonly ScopeRequirement[]>(),
    prompt: new Map<string, readonly ScopeRequirement[]>(),
  };
  private readonly uris: ScopedUri[] = [];
  private readonly anonymous = new Map<string, AnonymousAccess>();
  private readonly owned = new HandlerResources();
  private hasUnguarded = false;
  private hasSource = false;

  constructor(
    private readonly resources: ProtectedResourceRegistry,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'undeclaredTools'>,
  ) {}

  /** Adds declarations, and their scopes to the metadata of the resources. */
  register(declarations: readonly DeclaredHandler[]): void {
    for (const declaration of declarations) {
      const { kind, name, requirements, resource, isGuarded = false } = declaration;
      const owner = resource === undefined ? undefined : this.ownerOf(resource);
      if (owner && this.resources.all().length > 1) {
        this.owned.add(declaration, owner, declaration.server);
        this.hasUnguarded ||= !isGuarded;
      }
      if (kind === 'resource') {
        this.uris.push({ name, covers: uriMatcher(name), requirements });
      } else {
        const known = this.named[kind].get(name) ?? [];
        this.named[kind].set(name, [...known, ...requirements]);
      }
      if (kind === 'tool') this.addAnonymous(declaration);
      this.advertise(requirements, resource);
    }
  }

  /**
   * Same as {@link register}, for handlers that no guard of Nest checks again. From then on, undeclared tools are denied,
   * unless the options allow them.
   */
  registerUnguarded(declarations: readonly McpDeclaration[]): void {
    this.register(declarations);
    this.hasSource ||= declarations.length > 0;
    this.hasUnguarded ||= declarations.some(({ requirements }) => requirements.length > 0);
  }

  /** Whether an unread body would bypass authorization, because no later layer checks it. */
  get needsBodies(): boolean {
    return this.hasUnguarded || this.deniesUndeclared;
  }

  /** Whether bodies must be checked: handlers are declared, or undeclared tools are denied. */
  get decides(): boolean {
    return this.uris.length + this.named.tool.size + this.named.prompt.size > 0 || this.deniesUndeclared;
  }

  /** Whether an operation may be requested at all, regardless of scopes. */
  isDeclared({ kind, name }: McpOperation): boolean {
    if (!this.deniesUndeclared || kind !== 'tool') return true;
    return this.named.tool.has(name);
  }

  /** Whether an operation may be requested at a resource: not if its handler belongs to another one. */
  belongsTo(operation: McpOperation, resource: ProtectedResource, server?: unknown): boolean {
    return this.owned.belongsTo(operation, resource, server);
  }

  /** Adds the scopes of a handler to the metadata of its resource. */
  advertise(requirements: readonly ScopeRequirement[], resource: string | undefined): void {
    const owner = this.ownerOf(resource);
    if (owner) this.resources.declareScopes(owner, namedScopes(requirements));
  }

  /** Returns all requirements of an operation. An unknown name has none: no handler runs for it. */
  requirementsOf(operation: McpOperation): readonly ScopeRequirement[] {
    return this.needsOf(operation).flatMap(({ requirements }) => requirements);
  }

  /** Returns how a tool treats callers without a token. If several servers have such a tool, the strictest counts. */
  anonymousAccess(tool: string): AnonymousAccess {
    return this.anonymous.get(tool) ?? { isGuarded: false, isOptional: false };
  }

  /** Whether all of these requirements are among those of the operation that is called. */
  requires(call: ScopedCall, requirements: readonly ScopeRequirement[]): boolean {
    const { kind } = call;
    if (kind === 'route') return false;
    const known = this.requirementsOf({ ...call, kind });
    return requirements.every((requirement) => known.includes(requirement));
  }

  /** Same as {@link requirementsOf}, but separate for each resource or template that may match the operation. */
  needsOf({ kind, name }: McpOperation): readonly OperationNeed[] {
    if (kind !== 'resource') return scoped([{ name, requirements: this.named[kind].get(name) ?? [] }]);
    if (this.uris.length === 0) return [];
    const readings = readUri(name);
    return scoped(this.uris.filter((uri) => uri.name === name || uri.covers(name, readings)));
  }

  private addAnonymous({ name, isGuarded = false, optionalSignIn = false }: DeclaredHandler): void {
    const known = this.anonymous.get(name) ?? { isGuarded: false, isOptional: true };
    this.anonymous.set(name, {
      isGuarded: known.isGuarded || (isGuarded && !optionalSignIn),
      isOptional: known.isOptional && optionalSignIn,
    });
  }

  private get deniesUndeclared(): boolean {
    return (this.options.undeclaredTools ?? (this.hasSource ? 'deny' : 'allow')) === 'deny';
  }

  private ownerOf(name: string | undefined): ProtectedResource | undefined {
    const all = this.resources.all();
    return name === undefined && all.length > 1
      ? undefined
      : this.resources.require(name, 'HandlerScopeRegistry');
  }
}

function scoped<Need extends OperationNeed>(needs: readonly Need[]): readonly Need[] {
  return needs.filter(({ requirements }) => requirements.length > 0);
}
