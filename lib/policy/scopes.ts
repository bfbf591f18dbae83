/** A required scope, or several scopes of which one is required. @internal */
export type ScopeChoice = string | readonly [string, ...string[]];

/** The scopes that one request needs. @internal */
export interface ScopeDemand {
  /** The scopes that the resource requires of every request. */
  readonly baseline: readonly string[];
  /** The scopes that this operation requires: a route, a tool call. */
  readonly operation: readonly ScopeChoice[];
}

/** The scopes that a token grants. @internal */
export interface GrantedScopes {
  /** The scopes that the token names. */
  readonly scopes: readonly string[];
  /** Further scopes that a scope includes, directly or through another. */
  readonly hierarchy?: ReadonlyMap<string, readonly string[]> | undefined;
}

/**
 * The scopes that a challenge names in addition to those of the operation.
 *
 * - `operation`: no others, for clients that keep the scopes they have (MCP 2026-07-28); the resource's own scopes only if
 *   they are missing too
 * - `complete`: all scopes that the request needs
 * - `accumulated`: those, and the granted scopes that this resource knows, for clients that request exactly the scopes of
 *   a challenge and would lose the rest (MCP before 2026-07-28)
 *
 * @internal
 */
export type ChallengeStrategy = 'operation' | 'complete' | 'accumulated';

/**
 * Whether granted scopes satisfy a request. Every demanded scope is required. Scopes are compared exactly. A scope includes
 * another only by the hierarchy.
 *
 * The token must be valid for this resource: call {@link validateClaims} first.
 *
 * @internal
 */
export function satisfies(granted: GrantedScopes, { baseline, operation }: ScopeDemand): boolean {
  for (const scope of baseline) if (!includesScope(granted, scope)) return false;
  for (const choice of operation) {
    const isGranted =
      typeof choice === 'string'
        ? includesScope(granted, choice)
        : choice.some((scope) => includesScope(granted, scope));
    if (!isGranted) return false;
  }
  return true;
}

/**
 * Returns the scopes for a challenge, even if the granted scopes satisfy the request.
 *
 * Of several alternatives, the challenge names a granted one, else the first. It names the required scope, not a broader one.
 *
 * @param granted - the scopes that the token grants
 * @param demand - the scopes that the request needs
 * @param strategy - the scopes that the challenge names
 * @param known - the scopes that the resource knows, for `accumulated`
 * @returns the scopes that the client should request, in order and each once
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @internal
 */
export function scopesForChallenge(
  granted: GrantedScopes,
  { baseline, operation }: ScopeDemand,
  strategy: ChallengeStrategy,
  known: readonly string[],
): readonly string[] {
  const isMissing = (scope: string): boolean => !includesScope(granted, scope);
  const needed = operation.map((choice) => chosen(choice, isMissing));
  if (strategy === 'operation' && !baseline.some(isMissing)) return [...new Set(needed)];
  const held = strategy === 'accumulated' ? granted.scopes.filter((scope) => known.includes(scope)) : [];
  return [...new Set([...held, ...baseline, ...needed])];
}

/**
 * Returns the scopes for a challenge without a token: all that the request needs, and the first of alternatives.
 *
 * @internal
 */
export function scopesForAnonymous(demand: ScopeDemand): readonly string[] {
  return scopesForChallenge({ scopes: [] }, demand, 'complete', []);
}

/** Whether a scope is granted, by its name or by a broader one. @internal */
export function includesScope({ scopes, hierarchy }: GrantedScopes, scope: string): boolean {
  if (scopes.includes(scope)) return true;
  return (
    hierarchy !== undefined && scopes.some((broader) => hierarchy.get(broader)?.includes(scope) === true)
  );
}

function chosen(choice: ScopeChoice, isMissing: (scope: string) => boolean): string {
  if (typeof choice === 'string') return choice;
  return choice.find((scope) => !isMissing(scope)) ?? choice[0];
}
