import { Injectable } from '@nestjs/common';
import { InsufficientScopeError } from '../errors/rejection.errors.js';
import { strategyFor } from '../mcp/challenge-strategy.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { type OperationNeed, policyCallsFor } from '../mcp/operation-needs.js';
import { type McpOperation, NO_ARGUMENTS } from '../mcp/operations.js';
import type { ScopedCall } from '../mcp/scope-requirement.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import type { ScopeChoice } from '../policy/scopes.js';
import { Policies } from '../request/policies.js';
import type { PolicyQuestion } from '../request/policy-decision.js';
import type { Authentication, RequestContext } from '../request/request-context.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { ParsedRequest } from './request-authorizer.js';

/** A route, and what it needs. */
interface RouteCall {
  readonly need: OperationNeed;
  readonly call: ScopedCall;
}

/** A call of a handler that is no route. */
interface HandlerCall {
  readonly handler: OperationNeed;
  readonly call: ScopedCall;
  /** The scopes that it needs. */
  readonly needed: readonly ScopeChoice[];
  /** Operations of the request's body on which nothing has been decided. */
  readonly others: readonly McpOperation[];
}

const NONE: readonly never[] = [];

/**
 * Finds the policies that must allow a request, and lets them decide: those of the resource, of the operations in its body, and of
 * its handler. They come after everything else. Of a body that was changed in place, they decide again.
 *
 * @internal
 */
@Injectable()
export class PolicyCheck {
  constructor(
    private readonly policies: Policies,
    private readonly handlers: HandlerScopeRegistry,
    private readonly scopes: ScopePolicy,
  ) {}

  /** Whether any request may need a decision. */
  get isUsed(): boolean {
    return this.policies.isUsed;
  }

  /**
   * Runs the policies of a request before its handler runs. They do not run for a caller without a token: it reaches no handler
   * that has policies.
   *
   * @param operations - those of its body
   * @returns a promise only if a policy returns one
   * @throws what {@link Policies.check} throws
   */
  assertRequestAllowed(
    { authentication: caller, authorization }: RequestContext,
    request: ParsedRequest,
    operations: readonly McpOperation[],
    route?: RouteCall,
  ): Promise<void> | undefined {
    if (!this.policies.isUsed || !caller) return undefined;
    const { resource } = caller;
    const questions = [
      ...(operations.length === 0 ? requestQuestions(resource, request) : NONE),
      ...this.questionsOf(operations, resource),
      ...routeQuestions(route),
    ];
    return this.explained(request, caller, authorization.needed, () =>
      this.policies.check(questions, caller, authorization),
    );
  }

  /**
   * Decides on a call of a handler within a request.
   *
   * @returns a promise only if a policy returns one
   * @throws what {@link Policies.check} throws
   */
  assertCallAllowed(
    { authentication: caller, authorization }: RequestContext,
    request: ParsedRequest,
    { handler, call, needed, others }: HandlerCall,
  ): Promise<void> | undefined {
    if (!this.policies.isUsed || !caller) return undefined;
    const { resource } = caller;
    const questions = [...this.questionsOf(others, resource), ...questionsFor(handler, call, resource)];
    return this.explained(request, caller, needed, () =>
      this.policies.check(questions, caller, authorization),
    );
  }

  /**
   * Decides on a call without an HTTP request.
   *
   * @returns a promise only if a policy returns one
   * @throws what {@link Policies.check} throws
   */
  assertLocalCallAllowed(
    { authentication: caller, authorization }: RequestContext,
    handler: OperationNeed,
    call: ScopedCall,
  ): Promise<void> | undefined {
    if (!this.policies.isUsed || !caller) return undefined;
    return this.policies.check(questionsFor(handler, call, caller.resource), caller, authorization);
  }

  private questionsOf(
    operations: readonly McpOperation[],
    resource: ProtectedResource,
  ): readonly PolicyQuestion[] {
    return operations.flatMap((operation) => {
      const handlers = this.handlers.handlersOf(operation);
      // No handler of Nest and no source declares it: the resource's own policy still decides.
      const all = handlers.length > 0 ? handlers : [undeclared(operation)];
      return all.flatMap((handler) => questionsFor(handler, operation, resource));
    });
  }

  /** Adds what the request needs to the scopes that a policy finds missing: one new token then has all of them. */
  private explained(
    request: ParsedRequest,
    { auth, resource }: Authentication,
    needed: readonly ScopeChoice[],
    decide: () => Promise<void> | undefined,
  ): Promise<void> | undefined {
    const explain = (failure: unknown): never => {
      if (!(failure instanceof InsufficientScopeError)) throw failure;
      const all = [...needed, ...failure.scopes];
      throw new InsufficientScopeError(this.scopes.challenge(auth, resource, all, strategyFor(request)));
    };
    try {
      return decide()?.catch(explain);
    } catch (failure) {
      return explain(failure);
    }
  }
}

function undeclared({ name }: McpOperation): OperationNeed {
  return { name, requirements: NONE, authentication: undefined };
}

/** A request without an operation: the policy of the resource decides on it as a whole. */
function requestQuestions({ options }: ProtectedResource, request: ParsedRequest): readonly PolicyQuestion[] {
  const { policy: policies, resource: name } = options;
  const { method = '' } = request;
  const call = { kind: 'route', name, method, arguments: NO_ARGUMENTS, annotations: undefined } as const;
  return policies ? [{ policies, call }] : NONE;
}

function routeQuestions(route: RouteCall | undefined): readonly PolicyQuestion[] {
  if (!route?.need.policies) return NONE;
  return [{ policies: route.need.policies, call: { ...route.call, annotations: undefined } }];
}

function questionsFor(
  handler: OperationNeed,
  call: ScopedCall,
  { options }: ProtectedResource,
): readonly PolicyQuestion[] {
  const policies = [...(options.policy ?? NONE), ...(handler.policies ?? NONE)];
  if (policies.length === 0) return NONE;
  return policyCallsFor(handler, call).map((each) => ({ policies, call: each }));
}
