import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { tokenScopes } from './token-scopes.js';

describe('tokenScopes', () => {
  verifies(['CLM-01', 'F58'], 'splits scope at spaces, and at nothing else', () => {
    expect(tokenScopes({ scope: 'notes:read  notes:write ' })).toEqual(['notes:read', 'notes:write']);
    expect(tokenScopes({ scope: 'a a b a' })).toEqual(['a', 'b']);
    expect(tokenScopes({ scope: 'notes:READ' })).toEqual(['notes:READ']);
    expect(tokenScopes({ scope: 'a\tb' })).toEqual(['a\tb']);
    expect(tokenScopes({ scope: 'a,b' })).toEqual(['a,b']);
    expect(tokenScopes({ scope: 'a\u00a0b' })).toEqual(['a\u00a0b']);
    expect(tokenScopes({ scope: '' })).toEqual([]);
    expect(tokenScopes({ scope: '   ' })).toEqual([]);
  });

  verifies(['CLM-02', 'F58'], 'reads scope, else scp, else scopes, and never two of them', () => {
    expect(tokenScopes({ scp: ['a', 'b'] })).toEqual(['a', 'b']);
    expect(tokenScopes({ scp: 'a b' })).toEqual(['a', 'b']);
    expect(tokenScopes({ scopes: ['a'] })).toEqual(['a']);
    expect(tokenScopes({ scope: ['a'], scp: ['b'], scopes: ['c'] })).toEqual(['a']);
    expect(tokenScopes({ scp: ['b'], scopes: ['c'] })).toEqual(['b']);
    expect(tokenScopes({ scope: 'other', scp: ['a'] })).toEqual(['other']);
    expect(tokenScopes({ scope: '', scp: ['a'] })).toEqual([]);
    expect(tokenScopes({ scope: [], scp: ['a'] })).toEqual([]);
  });

  it('takes of a list only texts without a space', () => {
    expect(tokenScopes({ scope: ['a b', 'c', 7, null, ['d'], { e: 1 }, '', 'c'] })).toEqual(['c']);
  });

  verifies('CLM-03', 'does not take roles, groups and the like for scopes', () => {
    const claims = { roles: ['a'], groups: ['a'], permissions: ['a'], authorities: ['a'], Scope: 'a' };
    expect(tokenScopes(claims)).toEqual([]);
    expect(tokenScopes({ ...claims, scope: 'b' })).toEqual(['b']);
  });

  verifies(['CLM-03', 'F58'], 'takes what is named for scopes, and then nothing else', () => {
    const claims = { roles: ['a'], permissions: 'b c', scope: 'd', constructor: undefined };
    expect(tokenScopes(claims, ['roles'])).toEqual(['a']);
    expect(tokenScopes(claims, ['permissions'])).toEqual(['b', 'c']);
    expect(tokenScopes(claims, ['groups', 'permissions', 'roles'])).toEqual(['b', 'c']);
    expect(tokenScopes({ scope: 'd', role: ['a'] }, ['roles'])).toEqual([]);
    expect(tokenScopes({ scope: 'd' }, ['constructor', 'toString'])).toEqual([]);
  });

  verifies(['CLM-03', 'F58'], 'asks a function that knows where they are', () => {
    const nested = { realm_access: { roles: ['a', 'b c', 'a', 7, ''] }, scope: 'd' };
    const rolesOf = (claims: object): never =>
      (claims as { realm_access?: { roles: unknown } }).realm_access?.roles as never;
    expect(tokenScopes(nested, rolesOf)).toEqual(['a']);
    expect(tokenScopes({ scope: 'd' }, () => [])).toEqual([]);
    for (const result of ['a b', undefined, Promise.resolve(['a'])]) {
      expect(() => tokenScopes(nested, () => result as never)).toThrow(
        new TypeError(`The option "claimNames.scopes" gave a value of type ${typeof result}, not a list`),
      );
    }
    expect(() =>
      tokenScopes(nested, () => {
        throw new RangeError('theirs');
      }),
    ).toThrow(RangeError);
  });

  verifies('CLM-04', 'grants nothing for a scope claim of another type', () => {
    for (const scope of [7, {}, true, { 0: 'a', length: 1 }, { toString: () => 'a' }]) {
      expect(tokenScopes({ scope, scp: 'a' })).toEqual([]);
    }
    expect(tokenScopes({})).toEqual([]);
    expect(tokenScopes({ scope: null })).toEqual([]);
    expect(tokenScopes(JSON.parse('{"__proto__": {"scope": "a"}}') as never)).toEqual([]);
  });
});
