import { Injectable } from '@nestjs/common';
import {
  ALLOW_ANONYMOUS,
  NO_FURTHER_SCOPES,
  PROTECTED_RESOURCE,
  REQUIRED_AUTHENTICATION,
  REQUIRED_POLICIES,
  REQUIRED_SCOPES,
  SKIP_BEARER_AUTH,
} from '../mcp-auth.constants.js';
import type { Policy, ToolHints } from '../options/authorization-policy.js';
import { servedCapability, toolAnnotations } from '../platform/mcp-nest.js';
import { type Class, guardsOn, handlerPlace, isMarked, mayWriteResponse } from '../platform/nest-metadata.js';
import { patternTransport } from '../platform/nest-microservices.js';
import { type AuthenticationNeed, joinNeeds } from '../policy/user-authentication.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { hintsOf } from './operation-needs.js';
import { HANDLER_METHODS, type McpOperationKind, NO_ARGUMENTS } from './operations.js';
import type { ScopedCall, ScopeRequirement } from './scope-requirement.js';

/** What a handler serves: a tool or prompt by its name, a resource by its URI or template. */
interface ServedOperation {
  readonly kind: McpOperationKind;
  readonly name: string;
}

/** What the decorators say of a handler, on the method and on its class. It is the same for every request. @internal */
export interface HandlerPlan {
  readonly controller: Class;
  /** `Class.method`, for messages. */
  readonly where: string;
  /** What it serves of an MCP server, or undefined for an HTTP route. */
  readonly operation: ServedOperation | undefined;
  /** The server of @rekog/mcp-nest that serves it; undefined for an HTTP route. */
  readonly server: unknown;
  /** What `@RequireScopes()` asks for, inherited requirements included, each once. */
  readonly requirements: readonly ScopeRequirement[];
  /** What `@RequireAuthentication()` asks for, inherited requirements included; undefined if nothing. */
  readonly authentication: AuthenticationNeed | undefined;
  /** What `@RequirePolicy()` names, inherited policies included, each once; undefined if nothing. */
  readonly policies: readonly Policy[] | undefined;
  /** The annotations of a tool; undefined if it has none. */
  readonly annotations: ToolHints | undefined;
  /** What functions in `@RequireScopes()` and policies are told of a call, except what the call itself says. */
  readonly call: ScopedCall;
  /** Where `@NoFurtherScopes()` stands. */
  readonly noFurtherScopes: 'method' | 'class' | undefined;
  /** What `@ProtectedResource()` names on the method, else on a method that it overrides, else on the class. */
  readonly resourceName: string | undefined;
  /** What `@UseGuards()` names on the class and on the method. */
  readonly guards: readonly unknown[];
  /** Whether `@SkipBearerAuth()` is on the method or the class itself. */
  readonly isSkipped: boolean;
  /** Whether `@AllowAnonymous()` is on the method or the class itself. */
  readonly allowsAnonymous: boolean;
  /** Whether the handler may write the response itself, as an event stream. */
  readonly mayStream: boolean;
  /** The resource, once a request has asked for it. */
  resource?: ProtectedResource;
  /**
   * The last of `guards` that is one of this package, once an event has asked for it: false if none is. Reading metadata each time
   * would cost as much as the event (benchmark row "an event, one listener").
   */
  lastGuard?: unknown;
}

/**
 * Reads what decorators say of each handler of the application, once, for checks at bootstrap and for requests.
 *
 * Classes that extend one another share methods, so a handler is a method of a class.
 *
 * @internal
 */
@Injectable()
export class HandlerPlans {
  private readonly known = new WeakMap<object, WeakMap<object, HandlerPlan>>();

  /**
   * @param controller - the class that Nest calls the method of, not one that it extends
   * @param method - the function itself
   */
  of(controller: Class, method: NamedMethod): HandlerPlan {
    let byClass = this.known.get(method);
    if (!byClass) this.known.set(method, (byClass = new WeakMap()));
    let plan = byClass.get(controller);
    if (!plan) byClass.set(controller, (plan = readPlan(controller, method)));
    return plan;
  }
}

type NamedMethod = object & { readonly name: string };

function readPlan(controller: Class, method: NamedMethod): HandlerPlan {
  const { name, targets } = handlerPlace(controller, method);
  const where = `${controller.name}.${String(name ?? method.name)}`;
  const operation = servedCapability(method);
  const said = (key: string): readonly unknown[] =>
    targets.flatMap((target) => (Reflect.getOwnMetadata(key, target) ?? []) as readonly unknown[]);
  return {
    controller,
    where,
    operation,
    server: patternTransport(method),
    // Frozen, because HandlerScopeRegistry and Authorization keep it: a guard that adds to it would change what they compare.
    requirements: Object.freeze([...new Set(said(REQUIRED_SCOPES) as readonly ScopeRequirement[])]),
    authentication: authenticationOf(said(REQUIRED_AUTHENTICATION) as readonly AuthenticationNeed[]),
    policies: policiesOf(said(REQUIRED_POLICIES) as readonly Policy[]),
    annotations: hintsOf(toolAnnotations(method)),
    call: callOf(where, operation),
    noFurtherScopes: noFurtherScopes(controller, method),
    resourceName: said(PROTECTED_RESOURCE).at(-1) as string | undefined,
    guards: [...guardsOn(controller), ...guardsOn(method)],
    isSkipped: isMarked(SKIP_BEARER_AUTH, controller, method),
    allowsAnonymous: isMarked(ALLOW_ANONYMOUS, controller, method),
    mayStream: mayWriteResponse(controller, method, name),
  };
}

/** The preferences of the method count before those of its class. */
function authenticationOf(needs: readonly AuthenticationNeed[]): AuthenticationNeed | undefined {
  return [...new Set(needs)].reverse().reduce<AuthenticationNeed | undefined>(joinNeeds, undefined);
}

function policiesOf(policies: readonly Policy[]): readonly Policy[] | undefined {
  return policies.length === 0 ? undefined : Object.freeze([...new Set(policies)]);
}

function callOf(where: string, served: ServedOperation | undefined): ScopedCall {
  if (!served) return { kind: 'route', name: where, method: '', arguments: NO_ARGUMENTS };
  return { ...served, method: HANDLER_METHODS[served.kind], arguments: NO_ARGUMENTS };
}

function noFurtherScopes(controller: Class, method: object): HandlerPlan['noFurtherScopes'] {
  if (isMarked(NO_FURTHER_SCOPES, method, method)) return 'method';
  return isMarked(NO_FURTHER_SCOPES, controller, method) ? 'class' : undefined;
}
