import { describe, expect, it } from 'vitest';
import {
  isBoolean,
  isFunction,
  isListOf,
  isOneOf,
  isPlainObject,
  isScopeToken,
  isString,
  isText,
  isWholeNumber,
  type Problem,
} from './value-rules.js';

const OF_SECONDS = 'must be a whole number of seconds from 0 to 300';

describe('the rules', () => {
  it.each<[string, Problem, unknown, string | undefined]>([
    ['isText', isText, 'a', undefined],
    ['isText', isText, '', 'must be a non-empty string'],
    ['isText', isText, 1, 'must be a non-empty string'],
    ['isBoolean', isBoolean, false, undefined],
    ['isBoolean', isBoolean, 'false', 'must be true or false'],
    ['isFunction', isFunction, () => undefined, undefined],
    ['isFunction', isFunction, {}, 'must be a function'],
    ['isPlainObject', isPlainObject, {}, undefined],
    ['isPlainObject', isPlainObject, null, 'must be an object'],
    ['isPlainObject', isPlainObject, [], 'must be an object'],
    ['isPlainObject', isPlainObject, 'a', 'must be an object'],
    ['isWholeNumber', isWholeNumber(0, 300, 'seconds'), 0, undefined],
    ['isWholeNumber', isWholeNumber(0, 300, 'seconds'), 300, undefined],
    ['isWholeNumber', isWholeNumber(0, 300, 'seconds'), -1, OF_SECONDS],
    ['isWholeNumber', isWholeNumber(0, 300, 'seconds'), 301, OF_SECONDS],
    ['isWholeNumber', isWholeNumber(0, 300, 'seconds'), 1.5, OF_SECONDS],
    ['isWholeNumber', isWholeNumber(0, 300, 'seconds'), NaN, OF_SECONDS],
    ['isWholeNumber', isWholeNumber(0, 300, 'seconds'), '1', OF_SECONDS],
    ['isOneOf', isOneOf('a', 'b'), 'b', undefined],
    ['isOneOf', isOneOf('a', 'b'), 'B', 'must be one of a, b'],
    ['isOneOf', isOneOf('a', 'b'), ['a'], 'must be one of a, b'],
    ['isListOf', isListOf(isText, { nonEmpty: false }), [], undefined],
    ['isListOf', isListOf(isText, { nonEmpty: true }), [], 'must not be empty'],
    ['isListOf', isListOf(isText, { nonEmpty: true }), ['a'], undefined],
    ['isListOf', isListOf(isText, { nonEmpty: true }), ['a', ''], 'member 1 must be a non-empty string'],
    ['isListOf', isListOf(isText, { nonEmpty: true }), 'a', 'must be a list'],
    ['isString', isString(() => undefined), 'a', undefined],
    ['isString', isString((value) => `is ${value}`), 'a', 'is a'],
    ['isString', isString(() => undefined), 1, 'must be a non-empty string'],
  ])('%s says of a value what is wrong with it', (_name, problem, value, expected) => {
    expect(problem(value)).toBe(expected);
  });

  it.each(['!', 'notes:read', 'https://a.example/scope', '~', ']', '#'])('%s is a scope', (scope) => {
    expect(isScopeToken(scope)).toBeUndefined();
  });

  it.each(['', ' ', 'a b', 'a"', 'a\\', 'ä', 'a\n', '\u007f', 7, null])('%j is no scope', (scope) => {
    expect(isScopeToken(scope)).toBe('must be one scope: printable ASCII without space, quote and backslash');
  });
});
