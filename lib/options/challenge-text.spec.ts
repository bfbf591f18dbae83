import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { isScopeToken } from './value-rules.js';
import { challengeTextProblem, errorUriProblem } from './challenge-text.js';

describe('errorUriProblem', () => {
  verifies('CHL-23', 'takes an https URL, and no other', () => {
    for (const right of ['https://docs.example/e', 'https://localhost/e?a=b', 'HTTPS://docs.example']) {
      expect(errorUriProblem(right)).toBeUndefined();
    }
    for (const wrong of ['http://docs.example/e', 'ftp://docs.example/e', '/e', 'docs.example/e', 'e"', '']) {
      expect(errorUriProblem(wrong)).toBeDefined();
    }
    expect(errorUriProblem('http://localhost/e')).toBe('must be https');
    expect(errorUriProblem('https://docs.example/e#f')).toContain('fragment');
    expect(errorUriProblem('https://u@docs.example/e')).toContain('user name');
  });

  it.each([
    ['https://docs.example/?scope=a', 'scope='],
    ['https://docs.example/error=a', 'error='],
    ['https://docs.example/?a&resource_metadata=b', 'resource_metadata='],
    ['https://docs.example/myscope=a', 'scope='],
  ])('rejects %s: clients would read a parameter in it', (value, name) => {
    const problem = `has "${name}", which clients take for a parameter of the challenge; write it otherwise`;
    expect(challengeTextProblem(value)).toBe(problem);
    expect(errorUriProblem(value)).toBe(problem);
    expect(isScopeToken(value)).toBe(problem);
  });

  it.each(['https://docs.example/scope', 'https://docs.example/error?id=1', 'https://error.example/'])(
    'takes %s: the name alone is no parameter',
    (value) => {
      expect(errorUriProblem(value)).toBeUndefined();
      expect(isScopeToken(value)).toBeUndefined();
    },
  );
});
