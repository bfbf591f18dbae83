import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { describeAudiences, describeRejection, type RejectionFacts } from './rejection-details.js';

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

describe('describeRejection', () => {
  const facts = (more: Partial<RejectionFacts>): RejectionFacts => ({
    reason: 'expired',
    options: {
      ...ONE,
      authorizationServers: [],
      privateIssuers: [],
      verifier: undefined,
      authorizationServerResolver: undefined,
      ...HOSTS,
    },
    claims: {},
    ...{ required: [], granted: [], nowSeconds: 1000, toleranceSeconds: 5 },
    ...{ maxTokenLength: 8192, secrets: [], request: undefined },
    ...more,
  });

  it('tells how far times are from now, and nothing where there is no time', () => {
    const claims = { exp: 990.5, nbf: 1010, iat: 1020 };
    expect(describeRejection(facts({ claims }))).toBe('; it expired 10 s ago, tolerance 5 s');
    expect(describeRejection(facts({ reason: 'not_yet_valid', claims }))).toBe(
      '; it is valid in 20 s, tolerance 5 s',
    );
    for (const reason of ['expired', 'not_yet_valid', 'too_old'] as const)
      for (const none of [{}, { exp: '1', nbf: '1', iat: '1' }, undefined])
        expect(describeRejection(facts({ reason, claims: none }))).toBe('');
    expect(describeRejection(facts({ reason: 'time_claims', claims: undefined }))).toBe('');
  });

  it('names twenty claims at most, and none of no claims', () => {
    const many = Object.fromEntries(Array.from({ length: 22 }, (_, at) => [`c${String(at)}`, at]));
    expect(describeRejection(facts({ reason: 'subject', claims: many }))).toMatch(/"c19", 2 more$/);
    expect(describeRejection(facts({ reason: 'subject' }))).toMatch(/, the token has no claims$/);
  });

  it('names twenty scopes at most', () => {
    const granted = Array.from({ length: 22 }, (_, at) => `s${String(at)}`);
    expect(describeRejection(facts({ reason: 'insufficient_scope', granted }))).toMatch(/ s19 and 2 more$/);
  });

  it('names the hosts and origins that are allowed', () => {
    expect(describeRejection(facts({ reason: 'host' }))).toBe('; allowed are an empty list');
    const options = { ...facts({}).options, allowedHosts: ['a.example'] };
    expect(describeRejection(facts({ reason: 'host', options }))).toBe('; allowed are "a.example"');
  });
});

const HOSTS = { allowedOrigins: [], allowedHosts: undefined };
