import type { ConfigProblem } from '../errors/config.error.js';
import { isPolicy } from '../options/authorization-policy.js';
import { isBoolean, isListOf, isOneOf, isPlainObject, isText, type Problem } from '../options/value-rules.js';
import { authenticationProblems } from '../mcp/authentication-requirement.js';
import type { McpDeclaration } from '../mcp/handler-source.js';
import type { McpOperationKind } from '../mcp/operations.js';
import { requirementProblems } from '../mcp/scope-requirement.js';

const KINDS: readonly McpOperationKind[] = ['tool', 'prompt', 'resource'];

const isKind = isOneOf(...KINDS);
const isList = isListOf(() => undefined, { nonEmpty: false });
const arePolicies = isListOf(isPolicy, { nonEmpty: false });

/**
 * Returns the problems of a source's declarations, which may be written in plain JavaScript, or read from a file.
 *
 * @param where - the source, for messages
 * @param given - its declarations
 * @param resources - the names and identifiers of the configured resources
 * @param mustNameOpened - whether a handler that allows anonymous callers must name its resource
 * @internal
 */
export function declarationProblems(
  where: string,
  given: unknown,
  resources: readonly string[],
  mustNameOpened: boolean,
): readonly ConfigProblem[] {
  if (!Array.isArray(given)) {
    return [{ path: where, message: 'must return a list of declarations, and not a promise of one' }];
  }
  return given.flatMap((each: unknown, index) =>
    memberProblems(`${where}[${String(index)}]`, each, resources, mustNameOpened),
  );
}

function memberProblems(
  path: string,
  declaration: unknown,
  resources: readonly string[],
  mustNameOpened: boolean,
): readonly ConfigProblem[] {
  const problem = isPlainObject(declaration);
  if (problem !== undefined) return [{ path, message: problem }];
  const { kind, name, requirements, authentication, policies, annotations, resource, allowAnonymous } =
    declaration as Partial<McpDeclaration>;
  const list = isList(requirements);
  const unnamed = mustNameOpened && allowAnonymous === true ? UNNAMED + oneOf(resources) : undefined;
  const found: [string, string | undefined][] = [
    ['kind', isKind(kind)],
    ['name', isText(name)],
    ['requirements', list && `${list}; write [] where a valid token suffices`],
    ['resource', resource === undefined ? unnamed : unknown(resource, resources)],
    [
      'allowAnonymous',
      allowAnonymous === undefined
        ? undefined
        : anonymous(allowAnonymous, requirements, { authentication, policies }),
    ],
    ['policies', optional(policies, arePolicies)],
    ['annotations', optional(annotations, isPlainObject)],
  ];
  return [
    ...found.flatMap(([member, message]) =>
      message === undefined ? [] : [{ path: `${path}.${member}`, message }],
    ),
    ...(authentication === undefined ? [] : authenticationProblems(`${path}.authentication`, authentication)),
    ...requirementProblems(requirements && !list ? requirements : [], (index) =>
      [path, `requirements[${String(index)}]`].join('.'),
    ),
  ];
}

function optional(value: unknown, problem: Problem): string | undefined {
  return value === undefined ? undefined : problem(value);
}

function anonymous(
  given: unknown,
  requirements: unknown,
  { authentication, policies }: Readonly<Record<'authentication' | 'policies', unknown>>,
): string | undefined {
  if (given !== true) return isBoolean(given);
  const isScoped = Array.isArray(requirements) && requirements.length > 0;
  if (Array.isArray(policies) && policies.length > 0)
    return 'cannot be true with "policies", which need a caller; keep one of them';
  if (isScoped) return 'cannot be true with requirements, which need a token; keep one of them';
  return authentication === undefined
    ? undefined
    : 'cannot be true with "authentication", which needs a token; keep one of them';
}

function unknown(resource: string, resources: readonly string[]): string | undefined {
  return resources.includes(resource)
    ? undefined
    : `names no configured resource; write one of ${oneOf(resources)}`;
}

function oneOf(resources: readonly string[]): string {
  return resources.map((name) => `"${name}"`).join(', ');
}

const UNNAMED =
  'must be there beside "allowAnonymous", because there are several resources and one has "anonymousMethods"; declare the ' +
  'handler once for each resource that serves it, with one of ';
