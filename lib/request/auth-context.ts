import { Injectable, Optional } from '@nestjs/common';
import type { Policy, PolicyCall } from '../options/authorization-policy.js';
import { InsufficientScopeError } from '../errors/rejection.errors.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import type { AuthInfo } from './auth-info.decorator.js';
import { Policies } from './policies.js';
import { RequestContext } from './request-context.js';

/**
 * The current caller, for services that no request is passed to.
 *
 * Follows the request through promises, timers and callbacks (`AsyncLocalStorage`). In a stateful MCP session it is the
 * caller of the request that runs, not of the one that opened the session. Work that a request leaves behind still has
 * its caller.
 *
 * Work that requests share belongs to none of them. These run outside of every request: the option `fetch`, the listeners of a
 * verifier's `signal` after its time limit, and those of a response that ends with its token.
 *
 * Nest creates request-scoped providers before guards run: the caller is undefined in their constructors, and correct in their
 * methods. Listeners on the request's own stream, as in `req.on('data', …)`, are called by the connection and not always in
 * the course of the request: the caller may be undefined there, and is correct in `for await (const chunk of req)`.
 *
 * @publicApi
 */
@Injectable()
export class AuthContext {
  /** @internal */
  constructor(
    @Optional() private readonly policy?: ScopePolicy,
    @Optional() private readonly policies?: Policies,
  ) {}

  /** The caller; undefined outside of a request, before authentication, after rejection, and for an anonymous request. */
  current(): AuthInfo | undefined {
    return RequestContext.current()?.authentication?.auth;
  }

  /**
   * Throws unless the caller's token grants all of these scopes, directly or by a broader one. Use it if a handler learns the
   * needed scopes too late for `@RequireScopes()`. Call it before anything is written or changed.
   *
   * Let the error propagate, even if a library catches it: a handler of `@rekog/mcp-nest`, a tool of the MCP SDK. If the
   * answer then contains that error and nothing of it has been sent, it becomes 403 with a challenge for all scopes that the
   * operation needs; 401 for an anonymous caller. An answer with another error does not change. Outside of a request there is
   * no caller, and it is an ordinary error.
   *
   * @throws {@link InsufficientScopeError}; a `TypeError` if no scope is given
   */
  requireScopes(...scopes: [string, ...string[]]): void {
    if ((scopes as readonly string[]).length === 0)
      throw new TypeError('requireScopes() needs at least one scope');
    if (this.includes(scopes)) return;
    const denial = new InsufficientScopeError(scopes);
    RequestContext.current()?.response?.deny(denial, false);
    throw denial;
  }

  /**
   * Returns whether a policy allows the current caller something, for handlers that do more for some callers than for others. The
   * policy gets the operation of the request, with these arguments in place of those that were sent. If the request has several
   * operations or none, it gets a call of the kind `route` with the resource identifier.
   *
   * False outside of a request, and for an anonymous caller. Each call asks the policy again.
   *
   * @param policy - a provider in the default scope, or a function
   * @throws what a policy throws that is not a denial; {@link AuthorizationServerUnavailableError} if it takes too long;
   * {@link McpAuthConfigError} for a class that is not a provider. The promise rejects, so nothing is allowed by mistake
   */
  async can(policy: Policy, args?: Readonly<Record<string, unknown>>): Promise<boolean> {
    const context = RequestContext.current();
    if (!context?.authentication || !this.policies) return false;
    const { authentication, authorization } = context;
    const { resource } = authentication.resource.options;
    const { method = '' } = context.request as { method?: string };
    const request = { kind: 'route', name: resource, method, arguments: {} };
    const { kind, name, ...sent } = authorization.onlyOperation ?? request;
    const call = {
      kind,
      name,
      method: sent.method,
      arguments: args ?? sent.arguments,
      annotations: undefined,
    };
    return this.policies.can(policy, call as PolicyCall, authentication);
  }

  /** Without the module's policy, no scope includes another. */
  private includes(scopes: readonly string[]): boolean {
    const granted = this.current()?.scopes ?? [];
    return (
      this.policy?.includes({ scopes: granted }, scopes) ?? scopes.every((each) => granted.includes(each))
    );
  }
}
