import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { choicesOf, namedScopes, requirementProblem, type ScopeRequirement } from './scope-requirement.js';

const auth = { subject: 'u1' } as AuthInfo;
const call = { kind: 'tool', name: 'write_note', method: 'tools/call', arguments: { folder: 'hr' } } as const;

const choices = (...requirements: unknown[]) =>
  choicesOf(requirements as ScopeRequirement[], () => [call], auth);

describe('requirementProblem', () => {
  it.each([['a'], [{ anyOf: ['a'] }], [{ anyOf: ['a', 'b'] }], [() => []]])('takes %j', (requirement) => {
    expect(requirementProblem(requirement)).toBeUndefined();
  });

  it.each([
    ['', undefined],
    ['a b', undefined],
    [7, undefined],
    [null, undefined],
    [{}, 'must be a scope, { anyOf: [...] } with at least one scope, or a function'],
    [{ anyOf: [] }, 'must be a scope, { anyOf: [...] } with at least one scope, or a function'],
    [{ anyOf: 'a' }, 'must be a scope, { anyOf: [...] } with at least one scope, or a function'],
    [{ anyOf: ['a', 'b c'] }, undefined],
    [{ anyOf: ['a', ['b']] }, undefined],
  ])('rejects %j', (requirement, message) => {
    expect(requirementProblem(requirement)).toEqual(message ?? expect.any(String));
  });
});

describe('choicesOf', () => {
  verifies(['F69', 'SCP-04'], 'keeps scopes that are all needed apart from those of which one is', () => {
    expect(choices('a', { anyOf: ['b', 'c'] }, 'd')).toEqual(['a', ['b', 'c'], 'd']);
  });

  verifies('SCP-26', 'asks functions, with the call and its caller', () => {
    const byFolder: ScopeRequirement = ({ arguments: { folder }, name, kind }, { subject }) => [
      `${kind}:${name}`,
      { anyOf: [`${String(folder)}:write`, `${String(subject)}:write`] },
    ];
    expect(choices('a', byFolder)).toEqual(['a', 'tool:write_note', ['hr:write', 'u1:write']]);
    expect(choices(() => [])).toEqual([]);
  });

  verifies('SCP-26', 'denies by an error where a function gives no scopes, or throws', () => {
    for (const given of [
      undefined,
      null,
      true,
      'a',
      {},
      ['a b'],
      [['a']],
      [7],
      [() => []],
      Promise.resolve([]),
    ]) {
      expect(() => choices(() => given)).toThrow(TypeError);
    }
    const ours = new Error('ours');
    expect(() =>
      choices(() => {
        throw ours;
      }),
    ).toThrow(ours);
  });
});

describe('namedScopes', () => {
  it('lists what is named, whatever is decided in the end', () => {
    expect(namedScopes(['a', { anyOf: ['b', 'c'] }, () => ['d']])).toEqual(['a', 'b', 'c']);
  });
});
