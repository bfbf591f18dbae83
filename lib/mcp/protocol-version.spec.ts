import { describe, expect, it } from 'vitest';
import { clientAccumulatesScopes, hasNoBatches } from './protocol-version.js';

describe('clientAccumulatesScopes', () => {
  it.each(['2026-07-28', '2026-07-29', '2027-01-01', '9999-12-31'])(
    'takes %s for a client that keeps its scopes',
    (version) => {
      expect(clientAccumulatesScopes(version)).toBe(true);
    },
  );

  it.each([
    ...[
      '2026-07-27',
      '2025-11-25',
      '2025-06-18',
      '2025-03-26',
      '0000-00-00',
      '',
      'draft',
      'DRAFT-2026-v1',
      '2026-7-28',
      '20260728',
    ],
    ...[
      ' 2026-07-28',
      '2026-07-28 ',
      '2026-07-28\n',
      '2026-07-28, 2026-07-28',
      '2026-07-28x',
      '\u0662026-07-28',
    ],
    ...[undefined, null, 20260728, ['2026-07-28']],
  ])('takes %j for an old client', (version) => {
    expect(clientAccumulatesScopes(version)).toBe(false);
  });
});

describe('hasNoBatches', () => {
  it.each([
    ['2025-06-18', true],
    ['2025-11-25', true],
    ['2026-07-28', true],
    ['2025-06-17', false],
    ['2025-03-26', false],
    ['2025-6-18', false],
    ['2025-06-18, 2025-03-26', false],
    [['2025-06-18'], false],
    [undefined, false],
  ])('says of %j: %s', (version, expected) => {
    expect(hasNoBatches(version)).toBe(expected);
  });
});
