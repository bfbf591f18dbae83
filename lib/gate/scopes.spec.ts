import { describe, expect, it } from 'vitest';
import { type ChallengeStrategy, scopesToAskFor } from './scopes.js';

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
  return scopesToAskFor(list(granted), demand, strategy, list(known))?.join(' ');
}

describe('scopesToAskFor', () => {
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
});
