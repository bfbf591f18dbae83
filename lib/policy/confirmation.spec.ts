import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import { confirmationOf, lacksBinding } from './confirmation.js';

type Options = Pick<ResolvedProtectedResourceOptions, 'dpop' | 'mutualTls'>;

const DPOP = { mode: 'allowed' } as NonNullable<Options['dpop']>;
const TLS = { required: false } as NonNullable<Options['mutualTls']>;
const NEITHER: Options = { dpop: undefined, mutualTls: undefined };
const KEY: Options = { ...NEITHER, dpop: DPOP };
const CERTIFICATE: Options = { ...NEITHER, mutualTls: TLS };
const BOTH: Options = { dpop: DPOP, mutualTls: TLS };
const HASH = `${'a'.repeat(42)}A`;

function outcome(cnf: unknown, options: Options): unknown {
  try {
    return confirmationOf({ cnf }, options);
  } catch (error) {
    return error instanceof TokenRejectedError ? error.reason : error;
  }
}

describe('confirmationOf', () => {
  verifies(['POP-02', 'POP-38'], 'accepts what the resource verifies, and rejects what it does not', () => {
    const key = { jkt: HASH, x5tS256: undefined };
    const certificate = { jkt: undefined, x5tS256: HASH };
    for (const [cnf, options, expected] of [
      [undefined, NEITHER, undefined],
      [{ jkt: HASH }, KEY, key],
      [{ jkt: HASH, other: 1 }, BOTH, key],
      [{ 'x5t#S256': HASH }, CERTIFICATE, certificate],
      [{ jkt: HASH, 'x5t#S256': HASH }, BOTH, { jkt: HASH, x5tS256: HASH }],
    ] as const)
      expect(outcome(cnf, options)).toEqual(expected);
    for (const [cnf, options] of [
      ...[NEITHER, CERTIFICATE].map((each) => [{ jkt: HASH }, each] as const),
      ...[NEITHER, KEY].map((each) => [{ 'x5t#S256': HASH }, each] as const),
      ...[NEITHER, KEY, CERTIFICATE].map((each) => [{ jkt: HASH, 'x5t#S256': HASH }, each] as const),
      ...[null, 'x', 1, true, [], {}, { jwk: {} }, Object.assign(() => 1, { jkt: HASH })].map(
        (each) => [each, BOTH] as const,
      ),
      ...[
        null,
        1,
        '',
        [HASH],
        `${HASH}A`,
        HASH.slice(1),
        `${'a'.repeat(42)}B`,
        `${HASH}\n`,
        ` ${HASH}`,
      ].flatMap((value) => [
        [{ jkt: value }, BOTH] as const,
        [{ jkt: HASH, 'x5t#S256': value }, BOTH] as const,
      ]),
    ])
      expect([cnf, outcome(cnf, options)]).toEqual([cnf, 'sender_constrained']);
  });
});

describe('lacksBinding', () => {
  verifies(['POP-08', 'POP-33'], 'says whether a token is bound to all that the resource requires', () => {
    const needs: Options = { dpop: { ...DPOP, mode: 'required' }, mutualTls: { ...TLS, required: true } };
    const [jkt, x5tS256] = [HASH, HASH];
    const bound = [undefined, { jkt, x5tS256: undefined }, { jkt: undefined, x5tS256 }, { jkt, x5tS256 }];
    const lacking = (options: Options): boolean[] => bound.map((each) => lacksBinding(each, options));
    expect(lacking(BOTH)).toEqual([false, false, false, false]);
    expect(lacking({ ...needs, mutualTls: undefined })).toEqual([true, false, true, false]);
    expect(lacking({ ...needs, dpop: undefined })).toEqual([true, true, false, false]);
    expect(lacking(needs)).toEqual([true, true, true, false]);
  });
});
