import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { closure, isScopeHierarchy } from './scope-hierarchy.js';

describe('isScopeHierarchy', () => {
  it.each([[{}], [{ a: [] }], [{ a: ['b'], b: ['c', 'd'], e: ['c'] }], [{ a: ['b', 'c'], b: ['c'] }]])(
    'takes %j',
    (value) => {
      expect(isScopeHierarchy(value)).toBeUndefined();
    },
  );

  verifies('SCP-06', 'refuses a circle, and what is no hierarchy', () => {
    const circle = (scope: string) => `has a circle: "${scope}" includes itself; leave one of its steps out`;
    expect(isScopeHierarchy({ a: ['a'] })).toBe(circle('a'));
    expect(isScopeHierarchy({ a: ['b'], b: ['c'], c: ['a'] })).toBe(circle('a'));
    expect(isScopeHierarchy({ x: ['a'], a: ['b'], b: ['a'] })).toBe(circle('a'));
    expect(isScopeHierarchy({ a: 'b' })).toBe('must have lists of scopes for values; "a" has none');
    expect(isScopeHierarchy({ a: ['b c'] })).toMatch(/^has something that is no scope: /);
    expect(isScopeHierarchy({ 'a b': ['c'] })).toMatch(/^has something that is no scope: /);
    expect(isScopeHierarchy({ a: [7] })).toMatch(/^has something that is no scope: /);
    expect(isScopeHierarchy(['a'])).toMatch(/^must be an object/);
  });
});

describe('closure', () => {
  it('finds what is included by way of others, each once', () => {
    expect(closure({ a: ['b', 'c'], b: ['c', 'd'], constructor: ['a'] })).toEqual(
      new Map([
        ['a', ['b', 'c', 'd']],
        ['b', ['c', 'd']],
        ['constructor', ['a', 'b', 'c', 'd']],
      ]),
    );
  });
});
