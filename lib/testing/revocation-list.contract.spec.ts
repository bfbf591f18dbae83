import { describe, expect, it } from 'vitest';
import { TestClock } from '../../test/fixtures/clock.js';
import { verifies } from '../../test/verifies.js';
import { MemoryRevocationList } from '../options/memory-revocation.list.js';
import type { RevocationList } from '../options/revocation-list.js';
import { revocationListContract, type RevocationListSubject } from './revocation-list.contract.js';

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
        'rejects a revocation that names nobody, and one without an end',
      ],
      [changed(() => ({ onRevoked: () => () => undefined })), 'tells its listeners, until they are removed'],
    ];
    for (const [make, name] of wrong) expect(await failedBy(make)).toContain(name);
  });

  verifies('POP-61', 'fails a replica that does not learn of revocations', async () => {
    const failed: string[] = [];
    const create = () => ({ ...subjectOf(memory), replica: subjectOf(memory).list });
    for (const { name, run } of revocationListContract(create)) await run().catch(() => failed.push(name));
    expect(failed).toEqual(['tells the replica and its listeners']);
  });
});
