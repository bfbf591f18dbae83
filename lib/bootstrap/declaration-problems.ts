import type { ConfigProblem } from '../errors/config.error.js';
import { isBoolean, isListOf, isOneOf, isPlainObject, isText } from '../options/value-rules.js';
import type { McpDeclaration } from '../mcp/handler-source.js';
import type { McpOperationKind } from '../mcp/operations.js';
import { requirementProblems } from '../mcp/scope-requirement.js';

const KINDS: readonly McpOperationKind[] = ['tool', 'prompt', 'resource'];

const isKind = isOneOf(...KINDS);
const isList = isListOf(() => undefined, { nonEmpty: false });

/**
 * Returns the problems of a source's declarations, which may be written in plain JavaScript, or read from a file.
 *
 * @param where - the source, for messages
 * @param given - its declarations
 * @param resources - the names and identifiers of the configured resources
 * @internal
 */
export function declarationProblems(
  where: string,
  given: unknown,
  resources: readonly string[],
): readonly ConfigProblem[] {
  if (!Array.isArray(given)) {
    return [{ path: where, message: 'must return a list of declarations, and not a promise of one' }];
  }
  return given.flatMap((each: unknown, index) =>
    memberProblems(`${where}[${String(index)}]`, each, resources),
  );
}

function memberProblems(
  path: string,
  declaration: unknown,
  resources: readonly string[],
): readonly ConfigProblem[] {
  const problem = isPlainObject(declaration);
  if (problem !== undefined) return [{ path, message: problem }];
  const { kind, name, requirements, resource, optionalSignIn } = declaration as Partial<McpDeclaration>;
  const list = isList(requirements);
  const found: [string, string | undefined][] = [
    ['kind', isKind(kind)],
    ['name', isText(name)],
    ['requirements', list && `${list}; write [] where a valid token suffices`],
    ['resource', resource === undefined || resources.includes(resource) ? undefined : unknown(resources)],
    ['optionalSignIn', optionalSignIn === undefined ? undefined : isBoolean(optionalSignIn)],
  ];
  return [
    ...found.flatMap(([member, message]) =>
      message === undefined ? [] : [{ path: `${path}.${member}`, message }],
    ),
    ...requirementProblems(requirements && !list ? requirements : [], (index) =>
      [path, `requirements[${String(index)}]`].join('.'),
    ),
  ];
}

function unknown(resources: readonly string[]): string {
  return `names no configured resource; write one of ${resources.map((name) => `"${name}"`).join(', ')}`;
}
