import { describe, expect, it } from 'vitest';
import { CredentialsRejectedError, TokenRejectedError } from '../errors/rejection.errors.js';
import { apiKeysIn, assertKeyForm, extractApiKey } from './api-key.js';
import { presentedSecrets } from './credential-sources.js';

const NO_OTHER = { authorization: [], target: '/notes' };

describe('apiKeysIn', () => {
  it('finds each line of the header, in any letter case', () => {
    const rawHeaders = ['Host', 'x', 'X-Api-Key', 'one', 'x-api-keys', 'no', 'x-API-key', 'two'];
    expect(apiKeysIn({ headers: {}, rawHeaders }, 'x-api-key')).toEqual(['one', 'two']);
    expect(apiKeysIn({ headers: { 'x-api-key': 'one' } }, 'x-api-key')).toEqual(['one']);
    expect(apiKeysIn({ headers: {}, raw: { rawHeaders } }, 'x-other')).toEqual([]);
  });
});

describe('extractApiKey', () => {
  it('returns the key as it is', () => {
    expect(extractApiKey(['key'], NO_OTHER)).toBe('key');
    expect(extractApiKey(['Bearer key\u00a0'], NO_OTHER)).toBe('Bearer key\u00a0');
  });

  it.each([
    [['a', 'b'], NO_OTHER],
    [['a,b'], NO_OTHER],
    [['a'], { ...NO_OTHER, authorization: [''] }],
    [['a'], { ...NO_OTHER, target: '/notes?access_token=' }],
    [[''], { ...NO_OTHER, authorization: ['Bearer x'] }],
  ])('rejects %j with %j as several credentials', (lines, sources) => {
    expect(() => extractApiKey(lines, sources)).toThrow(new CredentialsRejectedError('multiple_credentials'));
  });

  it('rejects an empty key as none', () => {
    for (const lines of [[''], []])
      expect(() => extractApiKey(lines, NO_OTHER)).toThrow(new CredentialsRejectedError('missing_token'));
  });
});

describe('assertKeyForm', () => {
  it('allows printable ASCII up to the length', () => {
    for (const key of ['a', '!~"{}', 'a'.repeat(10)])
      expect(() => {
        assertKeyForm(key, 10);
      }).not.toThrow();
  });

  it.each([
    ['a'.repeat(11), 'too_long'],
    ['é'.repeat(11), 'too_long'],
    ['', 'malformed'],
    ['a b', 'malformed'],
    ['é', 'malformed'],
    ['a\n', 'malformed'],
    ['a\u007f', 'malformed'],
  ] as const)('rejects %j as %s', (key, reason) => {
    expect(() => {
      assertKeyForm(key, 10);
    }).toThrow(new TokenRejectedError(reason));
  });
});

describe('presentedSecrets', () => {
  it('has the key as a whole and in its parts, if the header is that of keys', () => {
    const request = { headers: { 'x-api-key': 'Bearer abcd, xyz', authorization: 'Bearer 0123456789' } };
    expect(presentedSecrets(request)).toEqual(['0123456789']);
    expect(presentedSecrets(request, 'x-api-key')).toEqual([
      'Bearer abcd, xyz',
      'Bearer',
      'abcd',
      '0123456789',
    ]);
    expect(presentedSecrets({ headers: { 'x-api-key': 'abc' } }, 'x-api-key')).toEqual([]);
  });
});
