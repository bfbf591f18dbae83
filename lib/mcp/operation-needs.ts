import type { AuthInfo } from '../request/auth-info.decorator.js';
import type { Authorization } from '../request/authorization.js';
import type { ScopeChoice } from '../policy/scopes.js';
import { COMPLETION_METHOD } from './operations.js';
import { choicesOf, type ScopedCall, type ScopeRequirement } from './scope-requirement.js';
import { uriSpellings } from './uri-template.js';

/** What a handler needs that an operation may run. @internal */
export interface OperationNeed {
  /** The name of the tool or prompt; the URI of the resource, or its template. */
  readonly name: string;
  readonly requirements: readonly ScopeRequirement[];
}

/**
 * What a handler's requirements come to for an operation.
 *
 * Functions are asked about a resource once for each way in which a transport may read its URI, so that no spelling that
 * reaches the handler gets by them. About a completion for a template they are asked with the template, as there is no URI
 * yet; scopes with one of its expressions in them are left out then, as there are no such scopes.
 *
 * @param authorization - keeps the answers of functions
 * @throws whatever a function throws, and an error when it gives what is no list of scopes
 * @internal
 */
export function choicesFor(
  { name, requirements }: OperationNeed,
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
