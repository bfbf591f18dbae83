import { challengeTextProblem } from './challenge-text.js';

/** Returns what is wrong with a value, or undefined if it is valid. @internal */
export type Problem = (value: unknown) => string | undefined;

/** @internal */
export const isText: Problem = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'must be a non-empty string';

/** @internal */
export const isBoolean: Problem = (value) =>
  typeof value === 'boolean' ? undefined : 'must be true or false';

/** @internal */
export const isFunction: Problem = (value) =>
  typeof value === 'function' ? undefined : 'must be a function';

/** @internal */
export const isPlainObject: Problem = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'must be an object';

/** @internal */
export const isWholeNumber =
  (min: number, max: number, unit: string): Problem =>
  (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `must be a whole number of ${unit} from ${String(min)} to ${String(max)}`;

/** @internal */
export const isOneOf =
  (...allowed: readonly string[]): Problem =>
  (value) =>
    typeof value === 'string' && allowed.includes(value) ? undefined : `must be one of ${allowed.join(', ')}`;

/** @internal */
export const isListOf =
  (member: Problem, { nonEmpty }: { nonEmpty: boolean }): Problem =>
  (value) => {
    if (!Array.isArray(value)) return 'must be a list';
    if (nonEmpty && value.length === 0) return 'must not be empty';
    const members: readonly unknown[] = value;
    const problems = members.map((item, index) => ({ index, problem: member(item) }));
    const first = problems.find(({ problem }) => problem !== undefined);
    return first && `member ${String(first.index)} ${first.problem ?? ''}`;
  };

/** @internal */
export const isString =
  (problem: (value: string) => string | undefined): Problem =>
  (value) =>
    isText(value) ?? problem(value as string);

/**
 * One OAuth scope token that is allowed in a challenge.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.3 | RFC 6749 section 3.3}
 * @internal
 */
export const isScopeToken: Problem = (value) =>
  typeof value === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(value)
    ? challengeTextProblem(value)
    : 'must be one scope: printable ASCII without space, quote and backslash';

/**
 * One authentication context class that is allowed in a challenge.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470#section-3 | RFC 9470 section 3}
 * @internal
 */
export const isAcrValue: Problem = (value) =>
  typeof value === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(value)
    ? challengeTextProblem(value)
    : 'must be one acr value: printable ASCII without space, quote and backslash';

/** One name, or several. @internal */
export const isNames: Problem = (value) =>
  typeof value === 'string' ? isText(value) : isListOf(isText, { nonEmpty: true })(value);
