import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import {
  scopesForChallenge,
  type ChallengeStrategy,
  type GrantedScopes,
  includesScope,
  type ScopeChoice,
  type ScopeDemand,
  scopesForAnonymous,
  satisfies,
} from './scopes.js';

/** A caller's scopes. */
type ScopedCaller = Pick<GrantedScopes, 'scopes'>;

/**
 * Checks whether a caller's scopes satisfy a request, and chooses the scopes of a challenge.
 *
 * A request needs the scopes of its resource and those of its operations. A broader scope includes others by the option
 * `scopeHierarchy`.
 *
 * @internal
 */
@Injectable()
export class ScopePolicy {
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'scopeHierarchy'>,
  ) {}

  /** Whether a caller's scopes satisfy what an operation of a resource needs. */
  isSatisfied(caller: ScopedCaller, resource: ProtectedResource, operation: readonly ScopeChoice[]): boolean {
    return satisfies(this.granted(caller), demand(resource, operation));
  }

  /** Whether a caller has each of these scopes, by its name or by a broader one. */
  includes(caller: ScopedCaller, scopes: readonly string[]): boolean {
    const granted = this.granted(caller);
    return scopes.every((scope) => includesScope(granted, scope));
  }

  /** Returns the scopes that a challenge names, even if the caller's scopes satisfy the operation. */
  challenge(
    caller: ScopedCaller,
    resource: ProtectedResource,
    operation: readonly ScopeChoice[],
    strategy: ChallengeStrategy,
  ): readonly string[] {
    const known = this.resources.scopesOf(resource);
    return scopesForChallenge(this.granted(caller), demand(resource, operation), strategy, known);
  }

  /** Returns all scopes that a request needs, for a caller without a token: of alternatives, the first. */
  needed(resource: ProtectedResource, operation: readonly ScopeChoice[]): readonly string[] {
    return scopesForAnonymous(demand(resource, operation));
  }

  /** Returns the scopes that a challenge names for a caller without a token, by the option `challengeScopes`. */
  anonymousChallenge(resource: ProtectedResource, operation: readonly ScopeChoice[]): readonly string[] {
    return resource.options.challengeScopes === 'required'
      ? this.needed(resource, operation)
      : resource.challengeScopes;
  }

  private granted({ scopes }: ScopedCaller): GrantedScopes {
    return { scopes, hierarchy: this.options.scopeHierarchy };
  }
}

function demand({ options }: ProtectedResource, operation: readonly ScopeChoice[]): ScopeDemand {
  return { baseline: options.requiredScopes, operation };
}
