/** What one request needs. @internal */
export interface ScopeDemand {
  /** What the resource asks of every request. */
  readonly baseline: readonly string[];
  /** What this operation asks for: a route, a tool call. */
  readonly operation: readonly string[];
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
 * Decides whether granted scopes suffice. Every scope demanded is needed; scopes are compared to the letter,
 * and no scope implies another.
 *
 * Takes the token for valid and for this resource: {@link admit} comes first.
 *
 * @param granted - the scopes of the token
 * @param demand - what the request needs
 * @param strategy - what the challenge names when they do not suffice
 * @param known - the scopes that the resource knows, for `accumulated`
 * @returns what to ask the client to get, in order and each once; undefined when the request may go on
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @internal
 */
export function scopesToAskFor(
  granted: readonly string[],
  { baseline, operation }: ScopeDemand,
  strategy: ChallengeStrategy,
  known: readonly string[],
): readonly string[] | undefined {
  const isMissing = (scope: string): boolean => !granted.includes(scope);
  const lacksBaseline = baseline.some(isMissing);
  if (!lacksBaseline && !operation.some(isMissing)) return undefined;
  if (strategy === 'operation' && !lacksBaseline) return [...new Set(operation)];
  const held = strategy === 'accumulated' ? granted.filter((scope) => known.includes(scope)) : [];
  return [...new Set([...held, ...baseline, ...operation])];
}
