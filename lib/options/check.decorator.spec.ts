import { validateSync } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { Check, CheckOptional } from './check.decorator.js';
import { isListOf, isText } from './value-rules.js';

describe('Check and CheckOptional', () => {
  class Sample {
    @Check(isText) needed: unknown;
    @CheckOptional(isListOf(isText, { nonEmpty: true })) optional: unknown;
  }

  const problemsOf = (values: Partial<Sample>): unknown =>
    validateSync(Object.assign(new Sample(), values)).map(({ property, constraints }) => [
      property,
      Object.values(constraints ?? {}),
    ]);

  it('let a value pass that is right, and an optional one that is left out', () => {
    expect(problemsOf({ needed: 'a' })).toEqual([]);
    expect(problemsOf({ needed: 'a', optional: ['b'] })).toEqual([]);
  });

  it('report a needed value that is left out', () => {
    expect(problemsOf({})).toEqual([['needed', ['must be a non-empty string']]]);
  });

  it('do not take null for left out', () => {
    expect(problemsOf({ needed: 'a', optional: null })).toEqual([['optional', ['must be a list']]]);
  });
});
