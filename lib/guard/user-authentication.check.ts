import { Injectable } from '@nestjs/common';
import { InsufficientAuthenticationError } from '../errors/rejection.errors.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import type { OperationNeed } from '../mcp/operation-needs.js';
import type { McpOperation } from '../mcp/operations.js';
import { choicesWithoutCaller } from '../mcp/scope-requirement.js';
import { AuthenticationPolicy } from '../policy/authentication-policy.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import { acrValuesFor, joinNeeds } from '../policy/user-authentication.js';
import type { Authentication } from '../request/request-context.js';

const NONE: readonly never[] = [];

/**
 * Rejects callers whose user has not authenticated as strongly or as recently as `@RequireAuthentication()` says.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470#section-3 | RFC 9470 section 3}
 * @internal
 */
@Injectable()
export class UserAuthenticationCheck {
  constructor(
    private readonly policy: AuthenticationPolicy,
    private readonly scopes: ScopePolicy,
    private readonly handlerScopes: HandlerScopeRegistry,
  ) {}

  /**
   * Checks one need. A need that says nothing of authentication costs nothing more than to find that out.
   *
   * @param operations - what else the request asks for: one new authentication must be enough for all of it
   * @param route - what its route needs
   * @throws {@link InsufficientAuthenticationError}
   */
  assertSatisfied(
    caller: Authentication,
    need: OperationNeed,
    operations: readonly McpOperation[] = NONE,
    route: OperationNeed = need,
  ): void {
    const { authentication } = need;
    if (authentication === undefined || this.policy.isSatisfied(caller.auth.claims, authentication)) return;
    throw this.failure(caller, [route, ...operations.flatMap((each) => this.handlerScopes.needsOf(each))]);
  }

  /**
   * The challenge names all that the request needs, also the scopes that the token has. The client gets a new token by it, and
   * would lose those that it does not name. Functions in `@RequireScopes()` do not run for it.
   */
  private failure({ auth, resource }: Authentication, needs: readonly OperationNeed[]): Error {
    const need = needs.map(({ authentication }) => authentication).reduce(joinNeeds, undefined);
    const choices = choicesWithoutCaller(needs.flatMap(({ requirements }) => requirements));
    return new InsufficientAuthenticationError(
      {
        acrValues: need ? acrValuesFor(need, auth.claims['acr']) : NONE,
        maxAgeSeconds: need?.maxAgeSeconds,
      },
      this.scopes.challenge(auth, resource, choices, 'accumulated'),
    );
  }
}
