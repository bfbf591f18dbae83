import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { checkTarget, type DownstreamTarget, targetKey } from './downstream-target.js';
import { EXCHANGE_PRESETS } from './exchange-presets.js';

const { standard, 'entra-on-behalf-of': entra } = EXCHANGE_PRESETS;
const resource = 'https://orders.example/api';

const problem = (target: unknown, preset = standard): string => {
  try {
    checkTarget(target as DownstreamTarget, preset);
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message.replace('DownstreamTokens.forResource() ', '');
  }
};

describe('checkTarget', () => {
  verifies('DWN-18', 'takes one name of the service, and scopes by choice', () => {
    expect(checkTarget({ resource, scopes: ['b', 'a', 'b'] }, standard)).toEqual({
      resource,
      audience: undefined,
      scopes: ['b', 'a'],
    });
    expect(checkTarget({ audience: 'orders' }, standard)).toMatchObject({ audience: 'orders', scopes: [] });
    expect(checkTarget({ scopes: ['api://orders/.default'] }, entra)).toMatchObject({ resource: undefined });
    for (const each of [{}, { resource, audience: 'orders' }])
      expect(problem(each)).toBe('needs "resource" or "audience", and not both');
    for (const each of [{ resource: 1 }, { resource: '' }, { audience: '' }, { audience: null }])
      expect(problem(each)).toBe('needs "resource" and "audience" to be non-empty strings');
    for (const each of ['/orders', 'orders', `${resource}#x`, `${resource}#`])
      expect(problem({ resource: each })).toBe(
        'needs a "resource" that is an absolute URL without a fragment',
      );
    for (const scopes of ['a b', ['a b'], [''], [1], ['"'], [null], {}])
      expect(problem({ resource, scopes })).toBe('needs "scopes" to be a list of scopes');
  });

  verifies('DWN-18', 'takes only scopes with the preset of Entra', () => {
    expect(problem({ scopes: ['a'], resource }, entra)).toMatch(/^takes no "resource" and no "audience"/);
    expect(problem({}, entra)).toBe('needs "scopes" with this preset');
  });

  verifies('DWN-06', 'has one key for targets that mean the same, and no other', () => {
    const keys = [
      { resource },
      { audience: resource },
      { resource, scopes: ['a'] },
      { resource, scopes: ['a', 'b'] },
      { resource: `${resource}/` },
    ].map((target) => targetKey(checkTarget(target, standard)));
    expect(new Set(keys).size).toBe(keys.length);
    expect(targetKey(checkTarget({ resource, scopes: ['b', 'a', 'b'] }, standard))).toBe(keys[3]);
  });
});
