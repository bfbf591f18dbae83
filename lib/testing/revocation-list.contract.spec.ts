import { describe, expect, it } from 'vitest';
import { TestClock } from '../../test/fixtures/clock.js';
import { verifies } from '../../test/verifies.js';
import { MemoryRevocationList } from '../options/memory-revocation.list.js';
import type { Revocation, RevocationList } from '../options/revocation-list.js';
import type { RevocationListSubject } from './revocation-coverage.contract.js';
import { revocationListContract } from './revocation-list.contract.js';

type Make = (clock: TestClock) => RevocationList;

function subjectOf(make: Make): RevocationListSubject {
  const clock = new TestClock();
  clock.stop();
  const wait = (ms: number): void => {
    clock.forward(ms / 1000);
  };
  return { list: make(clock), wait, now: clock.now };
}

const memory: Make = ({ now }) => new MemoryRevocationList({ now });

async function failedBy(make: Make): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of revocationListContract(() => subjectOf(make)))
    await run().catch(() => failed.push(name));
  return failed;
}

/** A list that is right in everything but what is changed. */
function changed(change: (right: MemoryRevocationList) => Partial<RevocationList>): Make {
  return (clock) => {
    const right = new MemoryRevocationList({ now: clock.now });
    const { isRevoked } = right;
    return {
      revoke: (...given) => right.revoke(...given),
      isRevoked,
      onRevoked: (listener) => right.onRevoked(listener),
      ...change(right),
    };
  };
}

describe('revocationListContract()', () => {
  describe('of the list in memory', () => {
    for (const { name, run } of revocationListContract(() => subjectOf(memory)))
      verifies('POP-60', name, run);
  });

  it('passes a list whose answers are promises', async () => {
    expect(
      await failedBy(changed((right) => ({ isRevoked: (token) => Promise.resolve(right.isRevoked(token)) }))),
    ).toEqual([]);
  });

  verifies('POP-61', 'fails lists that always or never call a token revoked, or need "this"', async () => {
    for (const answer of [true, false, undefined])
      expect(await failedBy(changed(() => ({ isRevoked: () => answer as boolean })))).not.toEqual([]);
    class Bare extends MemoryRevocationList {
      private readonly own = true;
      override readonly isRevoked = function (this: Bare | undefined): boolean {
        return this?.own ?? false;
      };
    }
    expect(await failedBy(({ now }) => new Bare({ now }))).not.toEqual([]);
  });

  verifies('POP-61', 'fails lists that look at a part of what is revoked', async () => {
    for (const ignored of ['issuer', 'jti', 'subject', 'clientId', 'issuedAt'] as const)
      expect([
        ignored,
        await failedBy(
          changed((right) => ({
            isRevoked: (token) =>
              right.isRevoked({
                ...token,
                ...(ignored === 'issuer'
                  ? { issuer: token.issuer.replace(/[x/]$/, '') }
                  : { [ignored]: undefined }),
              }),
          })),
        ),
      ]).not.toEqual([ignored, []]);
  });

  verifies('POP-61', 'fails lists that forget, shorten, never forget, or take anything', async () => {
    const later = (at: Date, ms: number): Date => new Date(at.getTime() + ms);
    const wrong: readonly [Make, string][] = [
      [
        (clock) => changed((right) => ({ revoke: (what, at) => right.revoke(what, later(at, 1e6)) }))(clock),
        'forgets a revocation when its time is over, and not before',
      ],
      [
        (clock) => {
          let count = 0;
          return changed((right) => ({
            revoke: (...given) => (count++ > 500 ? Promise.resolve() : right.revoke(...given)),
          }))(clock);
        },
        'forgets no revocation for others that follow',
      ],
      [
        changed((right) => ({
          revoke: (...given) => right.revoke(...given).catch(() => undefined),
        })),
        'rejects a revocation that has no target, and one without an end',
      ],
      [changed(() => ({ onRevoked: () => () => undefined })), 'tells its listeners, until they are removed'],
    ];
    for (const [make, name] of wrong) expect(await failedBy(make)).toContain(name);
  });

  verifies('POP-61', 'fails lists that take names for one another', async () => {
    const folds: readonly ((name: string) => string)[] = [
      (name) => name.toLowerCase(),
      (name) => name.trimEnd(),
      (name) => name.normalize('NFC'),
      (name) => name.slice(0, 255),
      (name) => name.replaceAll('\\', ''),
    ];
    for (const fold of folds)
      for (const member of ['subject', 'clientId', 'jti'] as const) {
        if (member !== 'subject' && fold !== folds[0]) continue; // one name with other characters is enough
        const folded = (named: object): never =>
          Object.fromEntries(
            Object.entries(named).map(([key, value]) => [
              key,
              key === member ? fold(String(value)) : (value as unknown),
            ]),
          ) as never;
        const failed = await failedBy(
          changed((right) => ({
            revoke: (what, until) => right.revoke(folded(what), until),
            isRevoked: (token) => right.isRevoked(token[member] === undefined ? token : folded(token)),
          })),
        );
        expect([member, String(fold), failed.length > 0]).toEqual([member, String(fold), true]);
      }
  });

  verifies('POP-61', 'fails a list whose last revocation of a person counts', async () => {
    const last = changed((right) => {
      const times = new Map<string, number>();
      return {
        revoke: (what, until) => {
          const { issuer, issuedBefore = Infinity } = what as { issuer: string; issuedBefore?: number };
          times.set(issuer, issuedBefore);
          return right.revoke(what, until);
        },
        isRevoked: (token) =>
          right.isRevoked(token) && !((token.issuedAt ?? 0) >= (times.get(token.issuer) ?? 0)),
      };
    });
    expect(await failedBy(last)).toContain(
      'keeps the later of two times before which tokens are revoked, in either order',
    );
  });

  verifies('POP-61', 'fails replicas that learn a part of a revocation, or never forget it', async () => {
    const failing = async (learn: (revocation: Revocation, until: Date) => [Revocation, Date]) => {
      const failed: string[] = [];
      const create = () => {
        const subject = subjectOf(memory);
        const replica = new MemoryRevocationList({ now: subject.now });
        const list = {
          revoke: async (revocation: Revocation, until: Date): Promise<void> => {
            await subject.list.revoke(revocation, until);
            await replica.revoke(...learn(revocation, until));
          },
          isRevoked: subject.list.isRevoked,
          onRevoked: subject.list.onRevoked.bind(subject.list),
        };
        return { ...subject, list, replica };
      };
      for (const { name, run } of revocationListContract(create)) await run().catch(() => failed.push(name));
      return failed;
    };
    expect(await failing((revocation, until) => [revocation, until])).toEqual([]);
    expect(
      await failing((revocation, until) => [{ ...revocation, issuedBefore: undefined }, until]),
    ).toContain('tells the replica and its listeners');
    expect(await failing((revocation, until) => [revocation, new Date(until.getTime() + 60_000)])).toEqual([
      'has the replica forget a revocation when its time is over',
    ]);
  });

  verifies('POP-61', 'fails a replica that does not learn of revocations', async () => {
    const failed: string[] = [];
    const create = () => ({ ...subjectOf(memory), replica: subjectOf(memory).list });
    for (const { name, run } of revocationListContract(create)) await run().catch(() => failed.push(name));
    expect(failed).toEqual([
      'tells the replica and its listeners',
      'has the replica forget a revocation when its time is over',
    ]);
  });
});
