import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type AuthenticationNeed, joinNeeds } from '../policy/user-authentication.js';
import {
  declaredResource,
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import { HandlerResources, type NamedOperation } from './handler-resources.js';
import type { McpDeclaration } from './handler-source.js';
import type { McpOperation, McpOperationKind } from './operations.js';
import { commonHints, type OperationNeed } from './operation-needs.js';
import { namedScopes, type ScopedCall, type ScopeRequirement } from './scope-requirement.js';
import { isSimple, strictUriMatcher } from './open-uris.js';
import { readUri, uriMatcher } from './uri-template.js';

/** A declaration, with what is known of the handler if it is a method of a controller. @internal */
export interface DeclaredHandler extends Omit<McpDeclaration, 'authentication'> {
  readonly authentication?: AuthenticationNeed | undefined;
  /** The server of @rekog/mcp-nest that serves it. */
  readonly server?: unknown;
  /** Whether the guard checks it again. */
  readonly isGuarded?: boolean;
}

/** How a handler treats callers without a token, if they reach it. @internal */
export interface AnonymousAccess {
  /** Whether a guard on it rejects them, unless its resource allows them. */
  readonly isGuarded: boolean;
  /** Whether it says that it serves them, and does more for other callers. */
  readonly isOptional: boolean;
  /** Whether they may run it at a resource with `anonymousMethods`. */
  readonly isOpen: boolean;
}

/** What one declaration says of callers without a token. */
interface AnonymousRule {
  /** As it is declared. */
  readonly name: string;
  /** The resource that it names, or the only one; undefined if there are several and it names none. */
  readonly owner: ProtectedResource | undefined;
  /** Whether a name or URI is certainly that of this handler, which allows them; undefined if it does not. */
  readonly opens: ((name: string) => boolean) | undefined;
  readonly isGuarded: boolean;
}

/** A resource or template, and which URIs it may stand for. */
interface ScopedUri extends OperationNeed, AnonymousRule {
  readonly covers: ReturnType<typeof uriMatcher>;
}

/**
 * Finds what each MCP operation needs, such as scopes and policies, from the declarations of handlers.
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
    tool: new Map<string, readonly OperationNeed[]>(),
    prompt: new Map<string, readonly OperationNeed[]>(),
  };
  /** The same, and those for which a valid token is enough. */
  private readonly declared = {
    tool: new Map<string, OperationNeed>(),
    prompt: new Map<string, OperationNeed>(),
  };
  private readonly uris: ScopedUri[] = [];
  private readonly anonymous = {
    tool: new Map<string, AnonymousRule[]>(),
    prompt: new Map<string, AnonymousRule[]>(),
  };
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
      const { requirements, resource, isGuarded = false } = declaration;
      const owner = this.ownerOf(resource);
      if (owner && this.resources.all().length > 1) {
        this.owned.add(declaration, owner, declaration.server);
        this.hasUnguarded ||= !isGuarded;
      }
      this.add(declaration, owner);
      this.advertise(requirements, resource);
    }
  }

  private add(declaration: DeclaredHandler, owner: ProtectedResource | undefined): void {
    const { kind, name, requirements, authentication, policies, annotations } = declaration;
    const { isGuarded = false } = declaration;
    const rule: AnonymousRule = { name, owner, opens: openerOf(declaration), isGuarded };
    if (kind === 'resource') {
      this.uris.push({ ...rule, covers: uriMatcher(name), requirements, authentication, policies });
      return;
    }
    const known = this.declared[kind].get(name);
    const need: OperationNeed = {
      name,
      requirements: [...(known?.requirements ?? []), ...requirements],
      authentication: joinNeeds(known?.authentication, authentication),
      policies: joinPolicies(known?.policies, policies),
      annotations: known ? commonHints(known.annotations, annotations) : annotations,
    };
    this.declared[kind].set(name, need);
    this.named[kind].set(name, needing([need]));
    this.anonymous[kind].set(name, [...(this.anonymous[kind].get(name) ?? []), rule]);
  }

  /**
   * Same as {@link register}, for handlers that no guard of Nest checks again. From then on, undeclared tools are denied,
   * unless the options allow them.
   */
  registerUnguarded(declarations: readonly DeclaredHandler[]): void {
    this.register(declarations);
    this.hasSource ||= declarations.length > 0;
    this.hasUnguarded ||= needing(declarations).length > 0;
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

  /** Whether handlers belong to one of several resources. */
  get hasOwners(): boolean {
    return this.owned.hasAny;
  }

  /** Whether an operation may be requested at a resource: not if its handler belongs to another one. */
  belongsTo(operation: NamedOperation, resource: ProtectedResource, server?: unknown): boolean {
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

  /** Whether an operation needs something of its caller, beside what the resource needs. */
  needsCaller(operation: McpOperation): boolean {
    return this.needsOf(operation).length > 0;
  }

  /**
   * Returns how the handlers of a list entry treat callers without a token. If several servers have such a handler, the
   * strictest counts.
   */
  anonymousAccess(listed: NamedOperation, resource: ProtectedResource): AnonymousAccess {
    const rules = this.rulesOf(listed);
    const declared = declaredResource(resource);
    const isNamed = ({ name, opens }: AnonymousRule): boolean =>
      opens !== undefined && (opens(listed.name) || (name === listed.name && isSimple(name)));
    const open = rules.every(({ opens }) => opens) ? rules.filter(isNamed) : [];
    return {
      isGuarded: rules.some(({ isGuarded, opens }) => isGuarded && !opens),
      isOptional: open.some(({ owner }) => owner === undefined || owner === declared),
      isOpen: open.some(({ owner }) => owner === declared),
    };
  }

  /** Whether all of these requirements are among those of the operation that is called. */
  requires(
    { kind, name, method, arguments: args }: ScopedCall,
    requirements: readonly ScopeRequirement[],
  ): boolean {
    if (kind === 'route') return false;
    const needs = this.needsOf({ kind, name, method, arguments: args });
    return requirements.every((each) => needs.some((need) => need.requirements.includes(each)));
  }

  /** Returns all handlers that an operation may run, also those for which a valid token is enough. */
  handlersOf({ kind, name }: NamedOperation): readonly OperationNeed[] {
    if (kind === 'resource') return this.urisOf(name);
    const handler = this.declared[kind].get(name);
    return handler ? [handler] : NO_NEEDS;
  }

  /** Returns all handlers of a kind: each tool and prompt once, and each declaration of a resource or template. */
  handlersOfKind(kind: McpOperationKind): readonly OperationNeed[] {
    return kind === 'resource' ? this.uris : [...this.declared[kind].values()];
  }

  /** Same as {@link requirementsOf}, but separate for each resource or template that may match the operation. */
  needsOf({ kind, name }: McpOperation): readonly OperationNeed[] {
    return kind === 'resource' ? needing(this.urisOf(name)) : (this.named[kind].get(name) ?? NO_NEEDS);
  }

  /**
   * Whether an operation at a resource runs only handlers that allow anonymous callers by a declaration of their own. If several
   * servers have a tool of the same name, all of them must allow it. One of them must belong to the resource: a name that is open
   * at one resource says nothing of another one. False for an unknown name.
   */
  allowsAnonymous(operation: NamedOperation, resource: ProtectedResource): boolean {
    // What may match is protected; what is open must match for certain.
    const rules = this.rulesOf(operation);
    return (
      rules.every(({ opens }) => opens) &&
      rules.some(({ owner, opens }) => owner === resource && opens?.(operation.name))
    );
  }

  /** Returns what the declarations that an operation may be for say of anonymous callers. */
  private rulesOf({ kind, name }: NamedOperation): readonly AnonymousRule[] {
    return kind === 'resource' ? this.urisOf(name) : (this.anonymous[kind].get(name) ?? NO_NEEDS);
  }

  /** Returns the resources and templates that may match a URI. */
  private urisOf(name: string): readonly ScopedUri[] {
    if (this.uris.length === 0) return NO_NEEDS;
    const readings = readUri(name);
    return this.uris.filter((uri) => uri.name === name || uri.covers(name, readings));
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

const NO_NEEDS: readonly never[] = [];

/** Whether a name or URI is certainly that of a handler that allows anonymous callers; undefined if it does not. */
function openerOf({ kind, name, allowAnonymous = false }: DeclaredHandler): AnonymousRule['opens'] {
  if (!allowAnonymous) return undefined;
  return kind === 'resource' ? strictUriMatcher(name) : (asked) => asked === name;
}

/** Leaves out handlers for which a valid token is enough. */
function needing<Need extends Pick<DeclaredHandler, 'requirements' | 'authentication' | 'policies'>>(
  needs: readonly Need[],
): readonly Need[] {
  return needs.filter(
    ({ requirements, authentication, policies }) =>
      requirements.length > 0 || authentication !== undefined || policies !== undefined,
  );
}

function joinPolicies(
  one: OperationNeed['policies'],
  other: OperationNeed['policies'],
): OperationNeed['policies'] {
  return one && other ? [...new Set([...one, ...other])] : (one ?? other);
}
