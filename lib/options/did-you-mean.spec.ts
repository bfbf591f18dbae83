import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { didYouMean, hintForOtherName } from './did-you-mean.js';

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

describe('hintForOtherName', () => {
  verifies('WAY-37', 'knows what other libraries call an option, and where it is here', () => {
    const hint = 'Did you mean "clockToleranceSeconds"';
    for (const name of ['leeway', 'clockTolerance', 'ClockTolerance']) {
      expect(hintForOtherName(name, ['clockToleranceSeconds'])).toBe(`${hint}?`);
      expect(hintForOtherName(name, ['issuer'])).toBe(`${hint} of the module?`);
    }
    expect(hintForOtherName('timeoutDuration', ['timeoutMs'])).toBe('Did you mean "timeoutMs"?');
    expect(hintForOtherName('timeoutDuration', [])).toBe('Did you mean "timeoutMs" of "remoteJwkSet"?');
    expect(hintForOtherName('jwtVerify', [])).toMatch(/^Set "clockToleranceSeconds" of the module, and /);
    for (const name of ['', 'leewa', 'tolerance', 'constructor', '__proto__']) {
      expect(hintForOtherName(name, [])).toBeUndefined();
    }
  });
});
