/** A scope that is needed, or several of which one is. @internal */
export type ScopeChoice = string | readonly [string, ...string[]];

/** What one request needs. @internal */
export interface ScopeDemand {
  /** What the resource asks of every request. */
  readonly baseline: readonly string[];
  /** What this operation asks for: a route, a tool call. */
  readonly operation: readonly ScopeChoice[];
}

/** What a token grants. @internal */
export interface GrantedScopes {
  /** The scopes that it names. */
  readonly scopes: readonly string[];
  /** Which further scopes a scope includes, directly or by another. */
  readonly hierarchy?: ReadonlyMap<string, readonly string[]> | undefined;
}

/**
 * What a challenge names beside the scopes of the operation.
 *
 * - `operation`: nothing more, for clients that keep the scopes they have (MCP 2026-07-28); the resource's own
 *   scopes only if they are missing too
 * - `complete`: all that the request needs
 * - `accumulated`: that, and the granted scopes that this resource knows, for clients that ask for exactly what
 *   a challenge names and would lose the rest (MCP before 2026-07-28)
 *
 * @internal
 */
export type ChallengeStrategy = 'operation' | 'complete' | 'accumulated';

/**
 * Decides whether granted scopes suffice. Every scope demanded is needed; scopes are compared to the letter, and a scope
 * implies another only by the hierarchy. Of several that would do, a granted one is named, else the first; what is named
 * is what is needed, not a broader scope that includes it.
 *
 * Takes the token for valid and for this resource: {@link validateClaims} comes first.
 *
 * @param granted - what the token grants
 * @param demand - what the request needs
 * @param strategy - what the challenge names when they do not suffice
 * @param known - the scopes that the resource knows, for `accumulated`
 * @returns what to ask the client to get, in order and each once; undefined when the request may go on
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @internal
 */
export function missingScopes(
  granted: GrantedScopes,
  demand: ScopeDemand,
  strategy: ChallengeStrategy,
  known: readonly string[],
): readonly string[] | undefined {
  if (satisfies(granted, demand)) return undefined;
  return scopesForChallenge(granted, demand, strategy, known);
}

/** Whether granted scopes suffice, as {@link missingScopes} decides. @internal */
export function satisfies(granted: GrantedScopes, { baseline, operation }: ScopeDemand): boolean {
  for (const scope of baseline) if (!includesScope(granted, scope)) return false;
  for (const choice of operation) {
    const anyOf = typeof choice === 'string' ? [choice] : choice;
    if (!anyOf.some((scope) => includesScope(granted, scope))) return false;
  }
  return true;
}

/** What {@link missingScopes} names, whether it is granted or not. @internal */
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
 * What a caller without a token is asked to get: all that the request needs, the first of several that would do.
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
