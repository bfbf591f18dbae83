import type { AuthInfo } from '../request/auth-info.decorator.js';
import { Authorization } from '../request/authorization.js';
import type { ConfigProblem } from '../errors/config.error.js';
import type { ScopeChoice } from '../policy/scopes.js';
import { isScopeToken } from '../options/value-rules.js';
import type { McpOperationKind } from './operations.js';

/** Scopes of which one suffices. A client that has none of them is asked to get the first. @publicApi */
export interface AnyOfScopes {
  readonly anyOf: readonly [string, ...string[]];
}

/** What a function in `@RequireScopes()` decides on. @publicApi */
export interface ScopedCall {
  /** `route` for an HTTP route. */
  readonly kind: McpOperationKind | 'route';
  /**
   * The name of the tool or prompt, or `Class.method` of the route. Of a resource its URI, never its template: a function
   * is called once for each way in which a transport may read the URI, and all that it asks for is needed. A completion for
   * a resource template has no URI yet, so `name` is the template then.
   */
  readonly name: string;
  /** The method of the message, such as `tools/call` or `completion/complete`; of an HTTP route `GET`, `POST`, … */
  readonly method: string;
  /** The arguments of a tool call or a prompt, as sent: nothing has checked them. Empty for what has none. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

/**
 * Says which scopes a call needs, by its arguments and its caller. Runs before the handler, and before its arguments are
 * checked; once for each call, whatever layers decide on it. A call within another request, and one over stdio, has the
 * arguments that its transport hands on. When it throws, or gives what is no list of scopes, the call is answered with 500 and the handler does not run.
 *
 * @publicApi
 */
export type ScopesOfCall = (call: ScopedCall, auth: AuthInfo) => readonly (string | AnyOfScopes)[];

/** A scope, several of which one suffices, or a function that says which. @publicApi */
export type ScopeRequirement = string | AnyOfScopes | ScopesOfCall;

/** Says what is wrong with a requirement, or undefined when it is right. @internal */
export function requirementProblem(requirement: unknown): string | undefined {
  if (typeof requirement === 'function') return undefined;
  if (typeof requirement !== 'object' || requirement === null) return isScopeToken(requirement);
  const { anyOf } = requirement as Partial<AnyOfScopes>;
  if (!Array.isArray(anyOf) || anyOf.length === 0) {
    return 'must be a scope, { anyOf: [...] } with at least one scope, or a function';
  }
  return anyOf.map(isScopeToken).find((problem) => problem !== undefined);
}

/** Says what is wrong with each requirement of a list, by where each stands. @internal */
export function requirementProblems(
  requirements: readonly unknown[],
  where: (index: number) => string,
): ConfigProblem[] {
  return requirements.flatMap((requirement, index) => {
    const message = requirementProblem(requirement);
    return message === undefined ? [] : [{ path: where(index), message }];
  });
}

/** The scopes that requirements name, whatever is decided in the end. @internal */
export function namedScopes(requirements: readonly ScopeRequirement[]): readonly string[] {
  return requirements.flatMap((requirement) => {
    if (typeof requirement === 'string') return [requirement];
    return typeof requirement === 'function' ? [] : requirement.anyOf;
  });
}

/** What requirements come to without a caller: functions are not asked, as there is nobody to ask them about. @internal */
export function choicesWithoutCaller(requirements: readonly ScopeRequirement[]): readonly ScopeChoice[] {
  return requirements.flatMap((requirement) => {
    if (typeof requirement === 'function') return [];
    return [typeof requirement === 'string' ? requirement : requirement.anyOf];
  });
}

/**
 * What requirements come to for one call.
 *
 * @param calls - the call in each way that functions are asked about it; not made where there is no function
 * @param authorization - keeps the answers of functions, so that none runs twice for a call
 * @throws whatever a function throws, and an error when it gives what is no list of scopes
 * @internal
 */
export function choicesOf(
  requirements: readonly ScopeRequirement[],
  calls: () => readonly ScopedCall[],
  auth: AuthInfo,
  authorization = new Authorization(),
): readonly ScopeChoice[] {
  return requirements.flatMap((requirement) => {
    if (typeof requirement === 'string') return [requirement];
    if (typeof requirement !== 'function') return [requirement.anyOf];
    return calls().flatMap((call) =>
      authorization.answer(requirement, call, () => asked(requirement, call, auth)),
    );
  });
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
