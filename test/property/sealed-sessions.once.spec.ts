import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { SessionSeal, type SessionUse } from '../../lib/response/session-seal.js';
import { verifies } from '../verifies.js';
import { bounded } from './arbitraries.js';

const SECRETS = ['1'.repeat(43), '2'.repeat(43)] as const;
const seal = new SessionSeal(SECRETS);

/** Texts that a careless encoding would mix up, and any others. */
const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom('.', '"', ',', '\\', 'a', 'b', '\n', '\u0141', '\uD800'),
    maxLength: 60,
  }),
  fc.string({ unit: 'binary', maxLength: 60 }),
);
const id = text.filter((each) => each !== '');
const use: fc.Arbitrary<SessionUse> = fc.record({ resource: text, owner: text });

/** The same text with one part of it removed, replaced or repeated. */
const edit = (sealed: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.nat(sealed.length), fc.nat(sealed.length), fc.oneof(text, fc.constantFrom(sealed, '')))
    .map(([one, other, by]) => {
      const [from, to] = [Math.min(one, other), Math.max(one, other)];
      return sealed.slice(0, from) + by + sealed.slice(to);
    });

describe('sealed session ids', () => {
  verifies('SES-34', 'are opened to the id that was sealed', () => {
    fc.assert(
      fc.property(id, use, fc.constantFrom(...SECRETS), (given, by, secret) => {
        expect(seal.open(new SessionSeal([secret]).seal(given, by), by)).toBe(given);
      }),
      bounded(1000),
    );
  });

  verifies('SES-34', 'are opened for no other resource and owner', () => {
    fc.assert(
      fc.property(id, use, use, (given, by, other) => {
        const isSame = by.resource === other.resource && by.owner === other.owner;
        expect(seal.open(seal.seal(given, by), other)).toBe(isSame ? given : undefined);
      }),
      bounded(1000),
    );
  });

  verifies('SES-34', 'are not opened if the same characters are divided otherwise', () => {
    const divided = text.chain((all) =>
      fc.tuple(fc.constant(all), fc.nat(all.length), fc.nat(all.length), fc.nat(all.length)),
    );
    fc.assert(
      fc.property(divided, ([all, one, two, three]) => {
        const partsAt = (at: number): SessionUse => ({ resource: all.slice(0, at), owner: all.slice(at) });
        const given = `x${all.slice(three)}`;
        const opened = seal.open(seal.seal(given, partsAt(one)), partsAt(two));
        expect(opened).toBe(one === two ? given : undefined);
      }),
      bounded(1000),
    );
  });

  verifies('SES-34', 'are not opened after any change', () => {
    const edited = id.chain((given) =>
      use.chain((by) => {
        const sealed = seal.seal(given, by);
        return edit(sealed).map((changed) => ({ given, by, sealed, changed }));
      }),
    );
    fc.assert(
      fc.property(edited, ({ given, by, sealed, changed }) => {
        expect(seal.open(changed, by)).toBe(changed === sealed ? given : undefined);
      }),
      bounded(3000),
    );
  });

  verifies('SES-34', 'are never made up', () => {
    fc.assert(
      fc.property(text, use, (made, by) => {
        expect(seal.open(made, by)).toBeUndefined();
      }),
      bounded(1000),
    );
  });
});
