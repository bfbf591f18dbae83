import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert';
import type { Revocation } from '../options/revocation-list.js';
import { type ContractTest, contractTest } from './contract-test.js';
import {
  COVERAGE,
  ISSUED_AT,
  later,
  newToken,
  type RevocationListSubject,
  type RevocationListTest,
} from './revocation-coverage.contract.js';

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

const TIME: Readonly<Record<string, RevocationListTest>> = {
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

  'rejects a revocation that has no target, and one without an end': async (subject) => {
    const { list } = subject;
    const { issuer } = newToken();
    await rejects(list.revoke({ issuer }, later(subject)));
    await rejects(list.revoke({ issuer, subject: '' }, later(subject)));
    await rejects(list.revoke({ issuer, jti: 'j1' }, new Date(NaN)));
    strictEqual(await list.isRevoked(newToken({ issuer })), false);
  },
};

const REPLICAS: Readonly<Record<string, RevocationListTest>> = {
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
