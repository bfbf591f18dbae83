import { Injectable } from '@nestjs/common';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { type OperationNeed, policyCallsFor } from '../mcp/operation-needs.js';
import { type McpOperation, NO_ARGUMENTS } from '../mcp/operations.js';
import type { ScopedCall } from '../mcp/scope-requirement.js';
import type { PolicyCall } from '../options/authorization-policy.js';
import type { Authorization } from '../request/authorization.js';
import { Policies, type PolicyQuestion } from '../request/policies.js';
import type { Authentication } from '../request/request-context.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';

const NONE: readonly never[] = [];

/**
 * Finds the policies that must allow a request, and lets them decide: those of the resource, of the operations in its body, and of
 * its handler. Call it only if {@link Policies.isUsed}.
 *
 * @internal
 */
@Injectable()
export class PolicyCheck {
  constructor(
    private readonly policies: Policies,
    private readonly handlers: HandlerScopeRegistry,
  ) {}

  /** Whether any request may need a decision. */
  get isUsed(): boolean {
    return this.policies.isUsed;
  }

  /**
   * Decides on a request before its handler runs.
   *
   * @param operations - those of its body
   * @param route - what its route needs, and the call of the route
   * @param method - that of HTTP
   * @returns a promise only if a policy returns one
   * @throws what {@link Policies.check} throws
   */
  assertRequestAllowed(
    caller: Authentication,
    authorization: Authorization,
    operations: readonly McpOperation[],
    { need, call, method }: { need: OperationNeed | undefined; call: ScopedCall | undefined; method: string },
  ): Promise<void> | undefined {
    const { policy } = caller.resource.options;
    const { resource: name } = caller.resource.options;
    const request: PolicyCall = {
      kind: 'route',
      name,
      method,
      arguments: NO_ARGUMENTS,
      annotations: undefined,
    };
    return this.policies.check(
      [
        ...(policy && operations.length === 0 ? [{ policies: policy, call: request }] : NONE),
        ...this.questionsOf(operations, caller.resource),
        ...(need?.policies && call
          ? [{ policies: need.policies, call: { ...call, annotations: undefined } }]
          : NONE),
      ],
      caller,
      authorization,
    );
  }

  /**
   * Decides on a call of a handler that is no route.
   *
   * @param others - operations of the request's body on which nothing has been decided
   * @returns a promise only if a policy returns one
   * @throws what {@link Policies.check} throws
   */
  assertCallAllowed(
    caller: Authentication,
    authorization: Authorization,
    handler: OperationNeed,
    call: ScopedCall,
    others: readonly McpOperation[] = NONE,
  ): Promise<void> | undefined {
    const questions = [
      ...this.questionsOf(others, caller.resource),
      ...questionsFor(handler, call, caller.resource),
    ];
    return this.policies.check(questions, caller, authorization);
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
}

function undeclared({ name }: McpOperation): OperationNeed {
  return { name, requirements: NONE, authentication: undefined };
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
