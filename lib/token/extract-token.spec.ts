import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { CredentialsRejectedError, TokenRejectedError } from '../errors/rejection.errors.js';
import { assertTokenForm, type CredentialSources, extractToken } from './extract-token.js';

const JWS = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln';

const MAX_LENGTH = 8192;

/** What becomes of credentials on their way: taken from the request, then looked at. */
function take(sources: CredentialSources, maxLength = MAX_LENGTH): string {
  const token = extractToken(sources);
  assertTokenForm(token, maxLength);
  return token;
}

const extract = (header: string, target = '/notes'): string => take({ authorization: [header], target });

/** Why a header is rejected: `401` without error, `400`, or a bad token; `authenticated` where it is not. */
function outcome(...authorization: string[]): string {
  try {
    take({ authorization, target: '/notes' });
    return 'authenticated';
  } catch (error) {
    if (error instanceof CredentialsRejectedError || error instanceof TokenRejectedError) return error.reason;
    throw error;
  }
}

describe('extractToken', () => {
  verifies('TOK-04', 'compares the scheme without regard to case', () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR'])
      expect(extract(`${scheme} ${JWS}`)).toBe(JWS);
    for (const scheme of ['Bearers', 'Beare', 'Basic', 'DPoP', 'B\u0435arer']) {
      expect(outcome(`${scheme} ${JWS}`)).toBe('unsupported_scheme');
    }
  });

  verifies('TOK-05', 'takes one or more spaces between scheme and token, and nothing else', () => {
    for (const spaces of [' ', '  ', ' '.repeat(100)]) expect(extract(`Bearer${spaces}${JWS}`)).toBe(JWS);
    for (const other of ['', '\t', '\u00a0', '=', ':']) {
      expect(outcome(`Bearer${other}${JWS}`)).toBe('unsupported_scheme');
    }
    expect(outcome(`Bearer \t${JWS}`)).toBe('malformed');
  });

  verifies('TOK-06', 'takes the characters of b64token and rejects any other', () => {
    for (const token of ['a', 'AZaz09-._~+/', 'a=', 'a==', '/', '~'])
      expect(extract(`Bearer ${token}`)).toBe(token);
    for (const token of [
      'a b',
      'a,b',
      'a, b',
      'tök',
      '"a"',
      'a=b',
      '=',
      '==',
      'a;b',
      'a%20b',
      'a\\',
      'a\u0000',
      'a\nb',
      'Bearer a',
    ]) {
      expect(outcome(`Bearer ${token}`)).toBe('malformed');
    }
  });

  it.each(['Bearer', 'bearer', 'Bearer ', 'Bearer    '])('finds no token in %j', (header) => {
    expect(outcome(header)).toBe('missing_token');
  });

  it('finds no token where there is no header, or an empty one', () => {
    expect(outcome()).toBe('missing_token');
    expect(outcome('')).toBe('unsupported_scheme');
  });

  it('leaves out spaces and tabs at the end, as HTTP does, and no other white space', () => {
    for (const blanks of [' ', '\t', ' \t \t']) expect(extract(`Bearer ${JWS}${blanks}`)).toBe(JWS);
    for (const other of ['\u00a0', '\u0085', '\ufeff', '\u2003', '\v', '\f', '\u00a0 ']) {
      expect(outcome(`Bearer ${JWS}${other}`)).toBe('malformed');
    }
    expect(outcome('Bearer \u00a0')).toBe('malformed');
  });

  it.each([
    [[`Bearer ${JWS}`, `Bearer ${JWS}`]],
    [[`Bearer ${JWS}`, 'Basic dTpw']],
    [['', `Bearer ${JWS}`]],
    [[`Bearer ${JWS}, Bearer ${JWS}`]],
    [[`Bearer ${JWS},Basic dTpw`]],
    [[`Basic dTpw, \tBearer ${JWS}`]],
  ])('rejects more than one credential: %j', (authorization) => {
    expect(outcome(...authorization)).toBe('multiple_credentials');
  });

  it('rejects a token in the query beside one in the header, and never uses one alone', () => {
    for (const target of [
      '/notes?access_token=x',
      '/notes?a=b&access_token',
      '/notes?%61ccess_token=x',
      '/?access_token=',
    ]) {
      expect(() => extract(`Bearer ${JWS}`, target)).toThrow('Credentials rejected: multiple_credentials');
      expect(() => take({ authorization: [], target })).toThrow('Credentials rejected: missing_token');
    }
    for (const target of ['/notes?access_tokens=x', '/notes?a=access_token', '/access_token=x', '', '?']) {
      expect(extract(`Bearer ${JWS}`, target)).toBe(JWS);
    }
  });

  verifies('TOK-08', 'rejects a token of one character more than the limit, whatever is in it', () => {
    expect(extract(`Bearer ${'a'.repeat(8192)}`)).toHaveLength(8192);
    expect(outcome(`Bearer ${'a'.repeat(8193)}`)).toBe('too_long');
    expect(outcome(`Bearer ${'"'.repeat(8193)}`)).toBe('too_long');
    expect(outcome(`Bearer ${'"'.repeat(8192)}`)).toBe('malformed');
    const long = { authorization: [`Bearer ${'a'.repeat(20_000)}`], target: '/' };
    expect(take(long, 20_000)).toHaveLength(20_000);
    expect(() => take(long, 19_999)).toThrow(TokenRejectedError);
  });

  verifies('TOK-09', 'takes linear time', () => {
    const many = 15_000;
    for (const header of [
      `Bearer${' '.repeat(many)}x`,
      `Bearer${' '.repeat(many)}`,
      `Bearer ${'='.repeat(many)}`,
      `Bearer x${' '.repeat(many)}y`,
      `Bearer x${' \t'.repeat(many / 2)}`,
      `Bearer x${' \t'.repeat(many / 2)}y`,
      `Bearer ${','.repeat(many)}`,
      `Bearer x${', '.repeat(many)}`,
      `Bearer x,${' '.repeat(many)}`,
      `Bearer x,${'a'.repeat(many)}`,
      `Bearer ${'a='.repeat(many)}`,
    ]) {
      const times = [1, 2, 3].map(() => {
        const start = performance.now();
        outcome(header);
        return performance.now() - start;
      });
      expect(Math.min(...times)).toBeLessThan(10);
    }
  });
});
