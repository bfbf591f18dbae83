import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import type { RevocationQuery } from './mcp-auth-options.js';
import { covers, RevocationIndex } from './revocation-index.js';
import type { Revocation } from './revocation-list.js';

const NOW = 1000;

// So few values that many revocations and tokens name the same.
const name = fc.constantFrom('a', 'b', 'null', 'a","b');
const issuer = fc.constantFrom('https://one.example', 'https://two.example');
const seconds = fc.integer({ min: 1, max: 4 });
const orNone = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });

const revocations: fc.Arbitrary<Revocation> = fc.oneof(
  fc.record({ issuer, jti: name }),
  fc.record({ issuer, subject: name, issuedBefore: orNone(seconds) }),
  fc.record({ issuer, clientId: name, issuedBefore: orNone(seconds) }),
  fc.record({ issuer, subject: name, clientId: name, issuedBefore: orNone(seconds) }),
);

const tokens: fc.Arbitrary<RevocationQuery> = fc.record({
  issuer,
  jti: orNone(name),
  subject: orNone(name),
  clientId: fc.oneof(name, fc.constant('')),
  issuedAt: orNone(seconds),
});

describe('RevocationIndex', () => {
  verifies('POP-81', 'covers what one of its revocations covers, and nothing else', () => {
    const entries = fc.array(fc.tuple(revocations, fc.integer({ min: NOW, max: NOW + 3 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(entries, fc.array(tokens), fc.integer({ min: 0, max: 3 }), (given, asked, later) => {
        const index = new RevocationIndex();
        for (const [revocation, endsAt] of given) index.add({ revocation, endsAt }, NOW);
        const now = NOW + later;
        const valid = given.filter(([, endsAt]) => endsAt > now);
        for (const token of asked)
          expect(index.covers(token, now)).toBe(valid.some(([revocation]) => covers(revocation, token)));
        expect(index.size).toBe([...index].length);
        expect(index.size).toBeLessThanOrEqual(given.length);
      }),
      { numRuns: 500 },
    );
  });

  it('removes what has ended as others are added, and what another one includes', () => {
    const index = new RevocationIndex();
    for (let at = 0; at < 100; at++)
      index.add({ revocation: { issuer: 'i', subject: String(at) }, endsAt: NOW + 1 }, NOW);
    for (let at = 0; at < 50; at++)
      index.add({ revocation: { issuer: 'i', subject: 'one', issuedBefore: at }, endsAt: NOW + 10 }, NOW + 2);
    expect(index.size).toBe(1);
    expect(
      index.add({ revocation: { issuer: 'i', subject: 'one', issuedBefore: 9 }, endsAt: NOW + 9 }, NOW),
    ).toBe(false);
    expect(index.add({ revocation: { issuer: 'i', subject: 'two' }, endsAt: NOW }, NOW)).toBe(false);
    // Neither includes the other.
    index.add({ revocation: { issuer: 'i', subject: 'one', issuedBefore: 99 }, endsAt: NOW + 5 }, NOW);
    expect(index.size).toBe(2);
    expect(index.add({ revocation: { issuer: 'i', subject: 'one' }, endsAt: NOW + 20 }, NOW)).toBe(true);
    expect(index.size).toBe(1);
  });
});
