import { Injectable } from '@nestjs/common';
import { CredentialsRejectedError } from '../errors/rejection.errors.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { HandlerScopeRegistry } from './handler-scope.registry.js';
import { assertBounded, type McpOperation, operationsOf } from './operations.js';
import { choicesWithoutCaller, type ScopeRequirement } from './scope-requirement.js';

/**
 * Finds out which scopes the rejected request of a caller without a token would need, so that one consent is enough.
 *
 * @internal
 */
@Injectable()
export class NeededScopes {
  constructor(
    private readonly scopes: ScopePolicy,
    private readonly handlerScopes: HandlerScopeRegistry,
  ) {}

  /**
   * Returns the failure of a request without a token, with the scopes of the operation that it calls. Returns the failure
   * unchanged if it is another one, if nothing that is called has scopes of its own, or if the option `challengeScopes` names
   * other scopes.
   *
   * @param body - the parsed body; undefined if it is not read
   * @param requirements - those of the route's decorators
   */
  named(
    failure: unknown,
    body: unknown,
    resource: ProtectedResource,
    requirements: readonly ScopeRequirement[],
  ): unknown {
    const isBare = failure instanceof CredentialsRejectedError && failure.scopes.length === 0;
    if (!isBare || resource.options.challengeScopes !== 'required') return failure;
    const ofBody = this.requirementsOf(body === undefined ? [] : operationsOf(body), resource);
    const needed = choicesWithoutCaller([...requirements, ...ofBody]);
    if (needed.length === 0) return failure;
    return new CredentialsRejectedError(failure.reason, this.scopes.needed(resource, needed));
  }

  /** Only for one operation of bounded length, so that a caller without a token causes little work. */
  private requirementsOf(
    operations: readonly McpOperation[],
    resource: ProtectedResource,
  ): readonly ScopeRequirement[] {
    try {
      assertBounded(operations, 1);
    } catch {
      return [];
    }
    return operations
      .filter((operation) => this.handlerScopes.belongsTo(operation, resource))
      .flatMap((operation) => this.handlerScopes.requirementsOf(operation));
  }
}
