import type { AuthInfo } from '../request/auth-info.decorator.js';
import { Authorization } from '../request/authorization.js';
import type { ConfigProblem } from '../errors/config.error.js';
import type { ScopeChoice } from '../policy/scopes.js';
import { isScopeToken } from '../options/value-rules.js';
import type { McpOperationKind } from './operations.js';

/** Scopes of which one is enough. If a client has none of them, the challenge names the first. @publicApi */
export interface AnyOfScopes {
  readonly anyOf: readonly [string, ...string[]];
}

/** The call that a function in `@RequireScopes()` receives. @publicApi */
export interface ScopedCall {
  /** The kind of MCP operation, or `route` for an HTTP route. */
  readonly kind: McpOperationKind | 'route';
  /**
   * The name of the tool or prompt, `Class.method` of the route, or the URI of the resource, never its template.
   *
   * For a resource, the function is called once for each way in which a transport may read the URI. All scopes it returns
   * are required. A completion for a resource template has no URI yet, so `name` is the template then.
   */
  readonly name: string;
  /** The method of the message, such as `tools/call` or `completion/complete`; for an HTTP route `GET`, `POST`, … */
  readonly method: string;
  /** The arguments of a tool call or a prompt, as sent and not validated. Empty if the call has none. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

/**
 * Returns the scopes that a call needs, depending on its arguments and its caller.
 *
 * It runs before the handler, and before the arguments are validated. It runs once for each call, even if several layers
 * check the call. For a call within another request, or over stdio, the arguments are those that the transport passes on. So
 * are those for a function that only a subclass of the guard adds, if a batch has several calls of the same handler.
 * If it throws, or returns something other than a list of scopes, the call gets 500 and the handler does not run.
 *
 * @publicApi
 */
export type ScopesOfCall = (call: ScopedCall, auth: AuthInfo) => readonly (string | AnyOfScopes)[];

/** A scope, several scopes of which one is enough, or a function that returns them. @publicApi */
export type ScopeRequirement = string | AnyOfScopes | ScopesOfCall;

/** Returns what is wrong with a requirement, or undefined if it is valid. @internal */
export function requirementProblem(requirement: unknown): string | undefined {
  if (typeof requirement === 'function') return undefined;
  if (typeof requirement !== 'object' || requirement === null) return isScopeToken(requirement);
  const { anyOf } = requirement as Partial<AnyOfScopes>;
  if (!Array.isArray(anyOf) || anyOf.length === 0) {
    return 'must be a scope, { anyOf: [...] } with at least one scope, or a function';
  }
  return anyOf.map(isScopeToken).find((problem) => problem !== undefined);
}

/** Returns the problems of each requirement in a list, with its position as path. @internal */
export function requirementProblems(
  requirements: readonly unknown[],
  where: (index: number) => string,
): ConfigProblem[] {
  return requirements.flatMap((requirement, index) => {
    const message = requirementProblem(requirement);
    return message === undefined ? [] : [{ path: where(index), message }];
  });
}

/** Returns all scopes that requirements name; functions name none. @internal */
export function namedScopes(requirements: readonly ScopeRequirement[]): readonly string[] {
  return requirements.flatMap((requirement) => {
    if (typeof requirement === 'string') return [requirement];
    return typeof requirement === 'function' ? [] : requirement.anyOf;
  });
}

/** Returns what requirements need without a caller. Functions are left out, as they need a caller. @internal */
export function choicesWithoutCaller(requirements: readonly ScopeRequirement[]): readonly ScopeChoice[] {
  return requirements.flatMap((requirement) => {
    if (typeof requirement === 'function') return [];
    return [typeof requirement === 'string' ? requirement : requirement.anyOf];
  });
}

/**
 * Returns the scopes that requirements need for one call.
 *
 * @param calls - the call in each form that functions are run with; not computed if there is no function
 * @param authorization - caches the results of functions, so that none runs twice for a call
 * @throws what a function throws, and an error if it returns something other than a list of scopes
 * @internal
 */
export function choicesOf(
  requirements: readonly ScopeRequirement[],
  calls: () => readonly ScopedCall[],
  auth: AuthInfo,
  authorization = new Authorization(),
): readonly ScopeChoice[] {
  if (areScopes(requirements)) return requirements;
  return requirements.flatMap((requirement) => {
    if (typeof requirement === 'string') return [requirement];
    if (typeof requirement !== 'function') return [requirement.anyOf];
    return calls().flatMap((call) =>
      authorization.answer(requirement, call, () => asked(requirement, call, auth)),
    );
  });
}

/** Whether requirements are only scopes, as most are. They are the same for every call then. */
function areScopes(requirements: readonly ScopeRequirement[]): requirements is readonly string[] {
  for (const requirement of requirements) if (typeof requirement !== 'string') return false;
  return true;
}

function asked(ask: ScopesOfCall, call: ScopedCall, auth: AuthInfo): readonly ScopeChoice[] {
  return checked(ask(call, auth)).map((each) => (typeof each === 'string' ? each : each.anyOf));
}

function checked(given: unknown): readonly (string | AnyOfScopes)[] {
  const isList = Array.isArray(given);
  if (isList && given.every((each) => typeof each !== 'function' && requirementProblem(each) === undefined)) {
    return given as readonly (string | AnyOfScopes)[];
  }
  const what = isList ? 'a list with something that is no scope' : `a value of type ${typeof given}`;
  throw new TypeError(`A function in @RequireScopes() must return a list of scopes; it returned ${what}`);
}
