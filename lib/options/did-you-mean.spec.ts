import { describe, expect, it } from 'vitest';
import { didYouMean } from './did-you-mean.js';

const KNOWN = ['resource', 'requiredScopes', 'scopesSupported', 'audience', 'now'];

describe('didYouMean', () => {
  it.each([
    ['requiredScope', 'requiredScopes'],
    ['RequiredScopes', 'requiredScopes'],
    ['requiredscopse', 'requiredScopes'],
    ['resources', 'resource'],
    ['nov', 'now'],
    ['n', undefined],
    ['audiences', 'audience'],
    ['scopes', undefined],
    ['xyzzy', undefined],
    ['', undefined],
    ['__proto__', undefined],
  ])('suggests for %j: %j', (unknown, suggestion) => {
    expect(didYouMean(unknown, KNOWN)).toBe(suggestion);
  });

  it('takes the nearest of several names', () => {
    expect(didYouMean('scopee', ['scopes2', 'scope'])).toBe('scope');
  });

  it('suggests a name at a third of the letters and none beyond', () => {
    expect(didYouMean('abcxyz', ['abcxnm'])).toBe('abcxnm');
    expect(didYouMean('abcxyz', ['abcnml'])).toBeUndefined();
  });
});
