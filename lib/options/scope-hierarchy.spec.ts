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

  verifies('SCP-06', 'rejects a circle, and what is no hierarchy', () => {
    const circle = (scope: string) => `has a circle: "${scope}" includes itself; leave one of its steps out`;
    expect(isScopeHierarchy({ a: ['a'] })).toBe(circle('a'));
    expect(isScopeHierarchy({ a: ['b'], b: ['c'], c: ['a'] })).toBe(circle('a'));
    expect(isScopeHierarchy({ x: ['a'], a: ['b'], b: ['a'] })).toBe(circle('a'));
    expect(isScopeHierarchy(['a'])).toMatch(/^must be an object/);
  });

  verifies('WAY-37', 'names the member that is wrong', () => {
    const rule = 'must be one scope: printable ASCII without space, quote and backslash';
    expect(isScopeHierarchy({ x: ['y'], a: 'b' })).toBe('"a" must be a list of scopes');
    expect(isScopeHierarchy({ x: ['y'], a: ['b', 'b c'] })).toBe(`"a" member 1 ${rule}`);
    expect(isScopeHierarchy({ x: ['y'], 'a "b"': ['c'] })).toBe(`"a \\"b\\"" ${rule}`);
    expect(isScopeHierarchy({ x: ['y'], a: [7] })).toBe(`"a" member 0 ${rule}`);
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
