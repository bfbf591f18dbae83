import { deepStrictEqual, strictEqual } from 'node:assert';
import type { RevocationQuery } from '../options/mcp-auth-options.js';
import type { Revocation, RevocationList } from '../options/revocation-list.js';
import { type ContractSubject, type contractTest, fresh } from './contract-test.js';

/** What `revocationListContract()` tests. @publicApi */
export interface RevocationListSubject extends ContractSubject {
  readonly list: RevocationList;
  /** The same list as another process has it: with a connection of its own. @defaultValue `list` */
  readonly replica?: RevocationList | undefined;
  /** Within what time the replica learns of a revocation. Unit: milliseconds. @defaultValue 2000 */
  readonly replicaMs?: number | undefined;
  /** The clock of the list. @defaultValue `() => new Date()` */
  readonly now?: (() => Date) | undefined;
}

/** One test of a list. @internal */
export type RevocationListTest = Parameters<typeof contractTest<RevocationListSubject>>[2];

/** When new tokens were issued. @internal */
export const ISSUED_AT = 1_700_000_000;

/** Makes a token of one issuer, of which nothing is revoked yet. @internal */
export function newToken(changes: Partial<RevocationQuery> = {}): RevocationQuery {
  const issuer = `https://auth.example.com/${fresh()}`;
  return { issuer, jti: 'j1', subject: 'ada', clientId: 'app', issuedAt: ISSUED_AT, ...changes };
}

/** Returns a time by the clock of the list. @internal */
export function later({ now = () => new Date() }: RevocationListSubject, ms = 60_000): Date {
  return new Date(now().getTime() + ms);
}

/** Asserts which tokens are revoked after a revocation, and that none was before. */
async function assertCovers(
  subject: RevocationListSubject,
  revocation: Revocation,
  { revoked, others }: Record<'revoked' | 'others', readonly RevocationQuery[]>,
): Promise<void> {
  const { isRevoked } = subject.list; // called without the list, as by the module
  for (const token of [...revoked, ...others]) strictEqual(await isRevoked(token), false, 'before');
  await subject.list.revoke(revocation, later(subject));
  for (const token of revoked) strictEqual(await isRevoked(token), true, JSON.stringify(token));
  for (const token of others) strictEqual(await isRevoked(token), false, JSON.stringify(token));
}

/** Which tokens a revocation covers. @internal */
export const COVERAGE: Readonly<Record<string, RevocationListTest>> = {
  'revokes a token by its issuer and jti, and no other': async (subject) => {
    const token = newToken();
    const others = [
      { ...token, jti: 'j2' },
      { ...token, jti: undefined },
      { ...token, issuer: `${token.issuer}/` },
      { ...token, issuer: token.issuer.toUpperCase() },
      { ...token, jti: 'J1' },
      { ...token, jti: 'x', subject: 'j1', clientId: 'j1' },
    ];
    const revoked = [token, { ...token, subject: undefined, clientId: '', issuedAt: undefined }];
    await assertCovers(subject, { issuer: token.issuer, jti: 'j1' }, { revoked, others });
  },

  'revokes all tokens of a person, and of no other person': async (subject) => {
    const token = newToken();
    const others = [
      { ...token, subject: 'eve' },
      { ...token, subject: undefined, clientId: 'ada' },
      { ...token, issuer: `${token.issuer}x` },
      { ...token, subject: 'bob', jti: 'ada' },
      { ...token, subject: 'Ada' },
      { ...token, subject: 'ada ' },
    ];
    const revoked = [token, { ...token, jti: undefined, clientId: 'other' }, { ...token, clientId: '' }];
    await assertCovers(subject, { issuer: token.issuer, subject: 'ada' }, { revoked, others });
  },

  'revokes all tokens of a client': async (subject) => {
    const token = newToken();
    const others = [
      { ...token, clientId: 'other' },
      { ...token, clientId: '' },
      { ...token, subject: 'app', clientId: 'other' },
      { ...token, clientId: 'App' },
    ];
    const revoked = [token, { ...token, subject: undefined }, { ...token, subject: 'eve' }];
    await assertCovers(subject, { issuer: token.issuer, clientId: 'app' }, { revoked, others });
  },

  'revokes the tokens of a person at one client': async (subject) => {
    const token = newToken();
    const others = [
      { ...token, clientId: 'other' },
      { ...token, subject: 'eve' },
      { ...token, subject: undefined },
    ];
    const revocation = { issuer: token.issuer, subject: 'ada', clientId: 'app' };
    await assertCovers(subject, revocation, { revoked: [token, { ...token, jti: 'j2' }], others });
  },

  'revokes tokens issued before a time, so that a person can sign in again': async (subject) => {
    const token = newToken();
    const { issuer } = token;
    const revoked = [
      { ...token, issuedAt: ISSUED_AT - 1 },
      { ...token, issuedAt: undefined },
    ];
    const others = [token, { ...token, issuedAt: ISSUED_AT + 1 }];
    await assertCovers(subject, { issuer, subject: 'ada', issuedBefore: ISSUED_AT }, { revoked, others });
    await assertCovers(subject, { issuer, subject: 'ada' }, { revoked: [], others: [] });
    for (const token of [...revoked, ...others]) strictEqual(await subject.list.isRevoked(token), true);
  },

  'keeps the later of two times before which tokens are revoked, in either order': async (subject) => {
    const { list } = subject;
    for (const times of [
      [ISSUED_AT, ISSUED_AT + 10],
      [ISSUED_AT + 10, ISSUED_AT],
    ]) {
      const token = newToken({ issuedAt: ISSUED_AT + 5 });
      const { issuer } = token;
      for (const issuedBefore of times)
        await list.revoke({ issuer, subject: 'ada', issuedBefore }, later(subject));
      const later10 = { ...token, issuedAt: ISSUED_AT + 10 };
      deepStrictEqual([await list.isRevoked(token), await list.isRevoked(later10)], [true, false]);
    }
  },

  'tells names apart, whatever characters they have': async (subject) => {
    const token = newToken({ subject: 'a","b', clientId: 'c' });
    const others = [
      { ...token, subject: 'a', clientId: 'b","c' },
      { ...token, subject: 'a b' },
      { ...token, subject: 'a","b ' },
      { ...token, subject: 'a\\",\\"b' },
      { ...token, subject: '*' },
    ];
    await assertCovers(subject, { issuer: token.issuer, subject: 'a","b' }, { revoked: [token], others });
    // Letters that look the same, and names that differ after many characters.
    for (const [name, other] of [
      ['\u00e9', 'e\u0301'],
      [`${'n'.repeat(1000)}1`, `${'n'.repeat(1000)}2`],
      ['{a}:b', '{a}:c'],
    ] as const) {
      const { issuer } = newToken();
      await assertCovers(
        subject,
        { issuer, subject: name },
        { revoked: [newToken({ issuer, subject: name })], others: [newToken({ issuer, subject: other })] },
      );
    }
  },
};
