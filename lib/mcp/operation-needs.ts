import type { AuthInfo } from '../request/auth-info.decorator.js';
import type { Authorization } from '../request/authorization.js';
import type { AuthenticationNeed } from '../policy/user-authentication.js';
import type { Policy, PolicyCall, ToolHints } from '../options/authorization-policy.js';
import type { ScopeChoice } from '../policy/scopes.js';
import { COMPLETION_METHOD } from './operations.js';
import { choicesOf, type ScopedCall, type ScopeRequirement } from './scope-requirement.js';
import { uriSpellings } from './uri-template.js';

/** The requirements of a handler that an operation may run. @internal */
export interface OperationNeed {
  /** The name of the tool or prompt; the URI of the resource, or its template. */
  readonly name: string;
  readonly requirements: readonly ScopeRequirement[];
  /** How the user must have authenticated; undefined if that does not matter. */
  readonly authentication: AuthenticationNeed | undefined;
  /** Its policies; undefined if there are none. */
  readonly policies?: readonly Policy[] | undefined;
  /** The annotations of a tool, for policies. */
  readonly annotations?: ToolHints | undefined;
}

/**
 * Returns the scopes that a handler's requirements need for an operation.
 *
 * For a resource, functions run once for each way in which a transport may read the URI, so that no spelling bypasses
 * them. For a completion of a template there is no URI yet, so they get the template. Scopes that contain one of its
 * expressions are left out then, as such scopes do not exist.
 *
 * @param authorization - caches the results of functions
 * @throws what a function throws, and an error if it returns something other than a list of scopes
 * @internal
 */
export function choicesFor(
  { name, requirements }: Pick<OperationNeed, 'name' | 'requirements'>,
  call: ScopedCall,
  auth: AuthInfo,
  authorization?: Authorization,
): readonly ScopeChoice[] {
  const choices = choicesOf(requirements, () => callsOf(name, call), auth, authorization);
  if (!isOfTemplate(call)) return choices;
  const expressions = name.match(/\{[^{}]*\}/g) ?? [];
  const isKnown = (scope: string): boolean => !expressions.some((expression) => scope.includes(expression));
  return choices.flatMap((choice): readonly ScopeChoice[] => {
    const [first, ...others] = [choice].flat().filter(isKnown);
    return first === undefined ? [] : [typeof choice === 'string' ? first : [first, ...others]];
  });
}

/**
 * Returns an operation as policies get it: once, or once for each way in which a transport may read the URI of a resource.
 *
 * @internal
 */
export function policyCallsFor(
  { name, annotations }: Pick<OperationNeed, 'name' | 'annotations'>,
  call: ScopedCall,
): readonly PolicyCall[] {
  return callsOf(name, call).map((each) => ({ ...each, annotations }));
}

/** Returns the hints among annotations, which a server may read from anywhere; undefined without any. @internal */
export function hintsOf(annotations: unknown): ToolHints | undefined {
  const { readOnlyHint, destructiveHint } = Object(annotations) as Record<string, unknown>;
  const hints = {
    ...(typeof readOnlyHint === 'boolean' && { readOnlyHint }),
    ...(typeof destructiveHint === 'boolean' && { destructiveHint }),
  };
  return Object.keys(hints).length === 0 ? undefined : Object.freeze(hints);
}

/** Returns the hints that both of two tools of one name have, because it is unknown which of them runs. @internal */
export function commonHints(one: ToolHints | undefined, other: ToolHints | undefined): ToolHints | undefined {
  const { readOnlyHint, destructiveHint } = one ?? {};
  return hintsOf({
    readOnlyHint: other?.readOnlyHint === readOnlyHint ? readOnlyHint : undefined,
    destructiveHint: other?.destructiveHint === destructiveHint ? destructiveHint : undefined,
  });
}

function callsOf(
  declared: string,
  { kind, name, method, arguments: args }: ScopedCall,
): readonly ScopedCall[] {
  const told = (spelling: string): ScopedCall => ({ kind, name: spelling, method, arguments: args });
  if (kind !== 'resource') return [told(name)];
  return isOfTemplate({ kind, method }) ? [told(declared)] : uriSpellings(declared, name).map(told);
}

function isOfTemplate({ kind, method }: Pick<ScopedCall, 'kind' | 'method'>): boolean {
  return kind === 'resource' && method === COMPLETION_METHOD;
}

/** Returns both lists as one. Most requests have at most one list that is not empty, which is not copied. @internal */
export function joined(one: readonly ScopeChoice[], other: readonly ScopeChoice[]): readonly ScopeChoice[] {
  if (one.length === 0) return other;
  return other.length === 0 ? one : [...one, ...other];
}
