import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import {
  type ChallengeStrategy,
  type GrantedScopes,
  type ScopeChoice,
  type ScopeDemand,
  satisfies,
  scopesForChallenge,
} from './scopes.js';

const STRATEGIES: readonly ChallengeStrategy[] = ['operation', 'complete', 'accumulated'];

/** Scopes written as one text, for tables; undefined where the request may go on. */
function ask(
  strategy: ChallengeStrategy,
  granted: string,
  baseline: string,
  operation: string,
  known = 'base a b c',
): string | undefined {
  const list = (text: string): string[] => text.split(' ').filter(Boolean);
  const demand = { baseline: list(baseline), operation: list(operation) };
  return missingScopes({ scopes: list(granted) }, demand, strategy, list(known))?.join(' ');
}

/** Returns the scopes of a challenge, or undefined if the granted scopes satisfy the demand. */
function missingScopes(
  granted: GrantedScopes,
  demand: ScopeDemand,
  strategy: ChallengeStrategy,
  known: readonly string[],
): readonly string[] | undefined {
  return satisfies(granted, demand) ? undefined : scopesForChallenge(granted, demand, strategy, known);
}

describe('missingScopes', () => {
  it.each([
    ['', '', ''],
    ['x', '', ''],
    ['base', 'base', ''],
    ['a', '', 'a'],
    ['c b a base', 'base', 'a b'],
  ])('lets %j pass where %j and %j are needed', (granted, baseline, operation) => {
    for (const strategy of STRATEGIES) expect(ask(strategy, granted, baseline, operation)).toBeUndefined();
  });

  it.each([
    ['', 'base', ''],
    ['', '', 'a'],
    ['base', 'base', 'a'],
    ['a', 'base', 'a'],
    ['base a', 'base', 'a b'],
    ['A', '', 'a'],
    ['aa', '', 'a'],
    ['admin *', '', 'a'],
  ])('does not let %j pass where %j and %j are needed', (granted, baseline, operation) => {
    for (const strategy of STRATEGIES) expect(ask(strategy, granted, baseline, operation)).toBeDefined();
  });

  it.each<[ChallengeStrategy, string, string, string, string]>([
    ['operation', 'base', 'base', 'a b', 'a b'],
    ['operation', 'base a', 'base', 'a b', 'a b'],
    ['operation', 'base', 'base', 'a a base', 'a base'],
    ['operation', '', 'base', 'a', 'base a'],
    ['operation', 'a', 'base', '', 'base'],
    ['complete', 'base', 'base', 'a b', 'base a b'],
    ['complete', 'base c', 'base', 'a', 'base a'],
    ['complete', 'base', 'base', 'base a', 'base a'],
    ['accumulated', 'base c', 'base', 'a', 'base c a'],
    ['accumulated', 'c unknown', 'base', 'a', 'c base a'],
    ['accumulated', 'openid offline_access', 'base', 'a', 'base a'],
  ])(
    'asks by the strategy %s of %j, with %j and %j needed, for %j',
    (strategy, granted, baseline, operation, expected) => {
      expect(ask(strategy, granted, baseline, operation)).toBe(expected);
    },
  );

  describe('with several scopes of which one is needed', () => {
    const either = (granted: string[], operation: ScopeChoice[]) =>
      missingScopes({ scopes: granted }, { baseline: [], operation }, 'complete', []);

    it('lets any of them pass, and no other', () => {
      expect(either(['b'], [['a', 'b']])).toBeUndefined();
      expect(either(['a'], [['a', 'b']])).toBeUndefined();
      expect(either(['c'], [['a', 'b']])).toEqual(['a']);
      expect(either(['B'], [['a', 'b']])).toEqual(['a']);
    });

    it('asks for the first, or for the one that is there when another scope is missing', () => {
      expect(either([], [['a', 'b'], 'c'])).toEqual(['a', 'c']);
      expect(either(['b'], [['a', 'b'], 'c'])).toEqual(['b', 'c']);
    });
  });

  describe('with scopes that include others', () => {
    const hierarchy = new Map([
      ['admin', ['write', 'read']],
      ['write', ['read']],
    ]);
    const ask = (scopes: string[], operation: string[], strategy: ChallengeStrategy = 'complete') =>
      missingScopes({ scopes, hierarchy }, { baseline: ['read'], operation }, strategy, [
        'admin',
        'write',
        'read',
      ]);

    verifies('SCP-06', 'lets a broader scope pass for a narrower one, and not the other way round', () => {
      expect(ask(['admin'], ['write'])).toBeUndefined();
      expect(ask(['write'], ['read'])).toBeUndefined();
      expect(ask(['read'], ['write'])).toEqual(['read', 'write']);
      expect(ask(['write'], ['admin'])).toEqual(['read', 'admin']);
      expect(ask(['Admin'], ['write'])).toEqual(['read', 'write']);
    });

    verifies('SCP-07', 'asks for what is needed, not for what includes it', () => {
      expect(ask(['read'], ['write'], 'operation')).toEqual(['write']);
      expect(ask([], ['write'])).toEqual(['read', 'write']);
    });
  });
});
