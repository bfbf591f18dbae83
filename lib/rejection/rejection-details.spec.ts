import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { describeAudiences } from './rejection-details.js';

const ONE = { audiences: ['https://api.example.com/notes'], rejectMultipleAudiences: false };

describe('describeAudiences', () => {
  const found = (aud: unknown, secrets: readonly string[] = []): string =>
    describeAudiences(ONE, { aud }, secrets).replace(
      /^; expected "https:\/\/api\.example\.com\/notes", the token has /,
      '',
    );

  verifies('WAY-24', 'says what the token has, escaped and cut', () => {
    expect(found('https://a.example')).toBe('"https://a.example"');
    expect(found(['a', 'b'])).toBe('"a", "b"');
    expect(found(undefined)).toBe('no "aud"');
    expect(found([])).toBe('an empty list');
    expect(found([7, null, { a: 'secret' }])).toBe(
      'a value of type number, a value of type object, a value of type object',
    );
    expect(found('a\n"b"\u2028')).toBe('"a\\u000a\\"b\\"\\u2028"');
    expect(found('x'.repeat(300))).toBe(`"${'x'.repeat(200)}…"`);
    expect(found(Array.from({ length: 1000 }, (_, index) => String(index)))).toBe(
      '"0", "1", "2", "3", "4", 995 more',
    );
    expect(found('the-token', ['the-token'])).toBe('"[token]"');
  });

  it('says what the resource accepts, also if no verifier vouches for claims', () => {
    expect(describeAudiences({ ...ONE, audiences: ['a', 'b'] }, undefined, [])).toBe('; expected "a", "b"');
    expect(describeAudiences({ ...ONE, rejectMultipleAudiences: true }, { aud: ['a', 'b'] }, [])).toBe(
      '; expected "https://api.example.com/notes" alone, the token has "a", "b"',
    );
  });
});
