import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import {
  acrValuesFor,
  type AuthenticationNeed,
  isAuthenticatedFor,
  joinNeeds,
} from './user-authentication.js';

const NOW = 1_800_000_000;
const CLOCK = { nowSeconds: NOW, toleranceSeconds: 5 };
const need = (maxAgeSeconds?: number, ...acr: string[][]): AuthenticationNeed => ({ acr, maxAgeSeconds });

describe('isAuthenticatedFor', () => {
  verifies('STP-05', 'compares acr exactly with each list', () => {
    const strong = need(undefined, ['urn:a', 'urn:b']);
    for (const acr of ['urn:a', 'urn:b']) expect(isAuthenticatedFor({ acr }, strong, CLOCK)).toBe(true);
    const others = ['URN:A', 'urn:a ', 'urn:c', 'urn:a urn:b', '', 1, true, null, ['urn:a'], { 0: 'urn:a' }];
    for (const acr of others) expect([acr, isAuthenticatedFor({ acr }, strong, CLOCK)]).toEqual([acr, false]);
    expect(isAuthenticatedFor({}, strong, CLOCK)).toBe(false);
    const both = need(undefined, ['urn:a', 'urn:b'], ['urn:b', 'urn:c']);
    expect(isAuthenticatedFor({ acr: 'urn:b' }, both, CLOCK)).toBe(true);
    expect(isAuthenticatedFor({ acr: 'urn:a' }, both, CLOCK)).toBe(false);
    expect(isAuthenticatedFor({ acr: 'urn:c' }, both, CLOCK)).toBe(false);
  });

  verifies('STP-05', 'takes an age up to the maximum, with the tolerance in both directions', () => {
    const fresh = need(300);
    const ages: [number, boolean][] = [
      [0, true],
      [300, true],
      [305, true],
      [306, false],
      [-5, true],
      [-6, false],
    ];
    for (const [age, expected] of ages)
      expect([age, isAuthenticatedFor({ auth_time: NOW - age }, fresh, CLOCK)]).toEqual([age, expected]);
    expect(isAuthenticatedFor({ auth_time: NOW }, need(0), { nowSeconds: NOW, toleranceSeconds: 0 })).toBe(
      true,
    );
    expect(
      isAuthenticatedFor({ auth_time: NOW - 1 }, need(0), { nowSeconds: NOW, toleranceSeconds: 0 }),
    ).toBe(false);
  });

  verifies('STP-05', 'counts a missing time, and what is no number, as too old', () => {
    const times = [
      undefined,
      null,
      String(NOW),
      new Date(NOW * 1000).toISOString(),
      NaN,
      Infinity,
      [NOW],
      true,
    ];
    for (const auth_time of times)
      expect([auth_time, isAuthenticatedFor({ auth_time }, need(300), CLOCK)]).toEqual([auth_time, false]);
    expect(isAuthenticatedFor({}, need(300), CLOCK)).toBe(false);
    expect(isAuthenticatedFor({ auth_time: -Infinity }, need(300), CLOCK)).toBe(false);
  });

  verifies('STP-05', 'finds every authentication too old if the clock returns NaN', () => {
    const broken = { nowSeconds: NaN, toleranceSeconds: 5 };
    expect(isAuthenticatedFor({ auth_time: NOW }, need(300), broken)).toBe(false);
  });
});

describe('joinNeeds', () => {
  it('asks for both lists and for the smaller maximum age', () => {
    expect(joinNeeds(need(300, ['a']), need(60, ['b']))).toEqual(need(60, ['a'], ['b']));
    expect(joinNeeds(need(300), need(undefined, ['b']))).toEqual(need(300, ['b']));
    expect(joinNeeds(need(undefined, ['a']), need(undefined, ['b']))).toEqual(need(undefined, ['a'], ['b']));
    expect(joinNeeds(undefined, need(0))).toEqual(need(0));
    expect(joinNeeds(need(0), need(60))).toEqual(need(0));
    expect(joinNeeds(undefined, undefined)).toBeUndefined();
  });
});

describe('acrValuesFor', () => {
  it('names the values that satisfy every list, in the order of the first', () => {
    expect(acrValuesFor(need(undefined, ['c', 'b', 'a'], ['a', 'b']), undefined)).toEqual(['b', 'a']);
    expect(acrValuesFor(need(undefined, ['a', 'b'], ['b', 'c'], ['c', 'b']), 'a')).toEqual(['b']);
    expect(acrValuesFor(need(60), 'a')).toEqual([]);
  });

  it('names the first list that the token does not satisfy, if they exclude each other', () => {
    const exclusive = need(undefined, ['a'], ['b', 'c']);
    expect(acrValuesFor(exclusive, undefined)).toEqual(['a']);
    expect(acrValuesFor(exclusive, 'a')).toEqual(['b', 'c']);
  });
});
