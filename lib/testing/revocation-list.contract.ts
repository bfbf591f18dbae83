import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert';
import type { RevocationQuery } from '../options/mcp-auth-options.js';
import type { Revocation, RevocationList } from '../options/revocation-list.js';
import { type ContractSubject, type ContractTest, contractTest, fresh } from './contract-test.js';

/** What {@link revocationListContract} tests. @publicApi */
export interface RevocationListSubject extends ContractSubject {
  readonly list: RevocationList;
  /** The same list as another process has it: with a connection of its own. @defaultValue `list` */
  readonly replica?: RevocationList | undefined;
  /** Within what time the replica learns of a revocation. Unit: milliseconds. @defaultValue 2000 */
  readonly replicaMs?: number | undefined;
  /** The clock of the list. @defaultValue `() => new Date()` */
  readonly now?: (() => Date) | undefined;
}

type Test = Parameters<typeof contractTest<RevocationListSubject>>[2];

const ISSUED_AT = 1_700_000_000;

/** Makes a token of one issuer, of which nothing is revoked yet. */
function newToken(changes: Partial<RevocationQuery> = {}): RevocationQuery {
  const issuer = `https://auth.example.com/${fresh()}`;
  return { issuer, jti: 'j1', subject: 'ada', clientId: 'app', issuedAt: ISSUED_AT, ...changes };
}

function later({ now = () => new Date() }: RevocationListSubject, ms = 60_000): Date {
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

/** Waits until something holds: messages to a replica take their time. */
async function within(
  subject: RevocationListSubject,
  wait: (ms: number) => Promise<void>,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const { replicaMs = 2000 } = subject;
  for (let waitedMs = 0; waitedMs <= replicaMs; waitedMs += 20) {
    if (await holds()) return;
    await wait(20);
  }
  ok(await holds(), `the replica learns of it within ${String(replicaMs)} ms`);
}

const COVERAGE: Readonly<Record<string, Test>> = {
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

  'revokes all tokens of a person, and of nobody else': async (subject) => {
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

const TIME: Readonly<Record<string, Test>> = {
  'forgets a revocation when its time is over, and not before': async (subject, wait) => {
    const { list } = subject;
    const [first, second] = [newToken(), newToken()];
    await list.revoke({ issuer: first.issuer, jti: 'j1' }, later(subject, 200));
    await list.revoke({ issuer: second.issuer, subject: 'ada' }, later(subject, 5000));
    strictEqual(await list.isRevoked(first), true);
    await wait(500);
    deepStrictEqual([await list.isRevoked(first), await list.isRevoked(second)], [false, true]);
  },

  'prolongs a revocation by a later one, and never shortens it': async (subject, wait) => {
    const { list } = subject;
    const [first, second] = [newToken(), newToken()];
    await list.revoke({ issuer: first.issuer, subject: 'ada' }, later(subject, 200));
    await list.revoke({ issuer: first.issuer, subject: 'ada' }, later(subject, 5000));
    await list.revoke({ issuer: second.issuer, jti: 'j1' }, later(subject, 5000));
    await list.revoke({ issuer: second.issuer, jti: 'j1' }, later(subject, 200));
    await wait(500);
    deepStrictEqual([await list.isRevoked(first), await list.isRevoked(second)], [true, true]);
  },

  'forgets no revocation for others that follow': async (subject) => {
    const tokens = Array.from({ length: 1000 }, () => newToken());
    for (const { issuer } of tokens) await subject.list.revoke({ issuer, jti: 'j1' }, later(subject));
    for (const token of tokens) strictEqual(await subject.list.isRevoked(token), true);
  },

  'rejects a revocation that names nobody, and one without an end': async (subject) => {
    const { list } = subject;
    const { issuer } = newToken();
    await rejects(list.revoke({ issuer }, later(subject)));
    await rejects(list.revoke({ issuer, subject: '' }, later(subject)));
    await rejects(list.revoke({ issuer, jti: 'j1' }, new Date(NaN)));
    strictEqual(await list.isRevoked(newToken({ issuer })), false);
  },
};

const REPLICAS: Readonly<Record<string, Test>> = {
  'tells its listeners, until they are removed': async (subject, wait) => {
    const { list } = subject;
    const { issuer } = newToken();
    const heard: Revocation[] = [];
    const stop = list.onRevoked((revocation) => heard.push(revocation));
    await list.revoke({ issuer, jti: 'j1' }, later(subject));
    const own = (): Revocation[] => heard.filter((each) => each.issuer === issuer);
    await within(subject, wait, () => own().length > 0);
    deepStrictEqual({ ...own()[0] }, { issuer, jti: 'j1' });
    stop();
    const before = own().length;
    await list.revoke({ issuer, jti: 'j2' }, later(subject));
    strictEqual(own().length, before);
  },

  'tells the replica and its listeners': async (subject, wait) => {
    const { list, replica = list } = subject;
    const token = newToken();
    const { issuer } = token;
    const heard: Revocation[] = [];
    replica.onRevoked((revocation) => heard.push(revocation));
    const own = (): Revocation | undefined => heard.find((each) => each.issuer === issuer);
    await list.revoke({ issuer, subject: 'ada', issuedBefore: ISSUED_AT + 1 }, later(subject));
    await within(subject, wait, async () => replica.isRevoked(token));
    await within(subject, wait, () => own() !== undefined);
    deepStrictEqual({ ...own() }, { issuer, subject: 'ada', issuedBefore: ISSUED_AT + 1 });
    strictEqual(await replica.isRevoked({ ...token, issuedAt: ISSUED_AT + 1 }), false);
    strictEqual(await replica.isRevoked({ ...token, subject: 'eve' }), false);
  },

  'has the replica forget a revocation when its time is over': async (subject, wait) => {
    const { list, replica = list } = subject;
    const [first, second] = [newToken(), newToken()];
    await list.revoke({ issuer: first.issuer, jti: 'j1' }, later(subject, 300));
    await list.revoke({ issuer: second.issuer, jti: 'j1' }, later(subject));
    await within(subject, wait, async () => replica.isRevoked(second));
    await wait(500);
    deepStrictEqual([await replica.isRevoked(first), await replica.isRevoked(second)], [false, true]);
  },
};

/**
 * Returns the tests of the contract of `RevocationList`, for any test runner. They take some seconds, unless `wait` sets a
 * clock. Their issuers are random, so a list may be used by several runs.
 *
 * They do not test what a list does while its database is away: `isRevoked` must throw once its copy may be too old.
 *
 * @param create - makes what one test gets
 * @publicApi
 */
export function revocationListContract(
  create: () => RevocationListSubject | Promise<RevocationListSubject>,
): readonly ContractTest[] {
  return Object.entries({ ...COVERAGE, ...TIME, ...REPLICAS }).map(([name, test]) =>
    contractTest(create, name, test),
  );
}
