import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SeenTokens } from './seen-tokens.js';

const hashOf = (text: string): string => hash('sha256', text, 'binary');

/** A hash with this place, and this mark. */
const made = (place: number, mark: number): string =>
  String.fromCharCode(place & 255, place >> 8, ...[0, 8, 16, 24].map((bits) => (mark >>> bits) & 255));

describe('SeenTokens', () => {
  it('knows what was noted before, and nothing else', () => {
    const seen = new SeenTokens();
    const names = Array.from({ length: 1000 }, (_, n) => hashOf(String(n)));
    expect(names.filter((name) => seen.note(name))).toEqual([]);
    expect(names.filter((name) => seen.note(name))).toHaveLength(1000);
    expect(seen.note(hashOf('another'))).toBe(false);
  });

  it('goes by six bytes of a hash', () => {
    for (let at = 0; at < 6; at++) {
      const seen = new SeenTokens();
      const near = [1, 1, 1, 1, 1, 1].map((byte, index) => byte + (index === at ? 1 : 0));
      seen.note('\u0001'.repeat(6));
      expect(seen.note(String.fromCharCode(...near))).toBe(false);
      expect(seen.note(`${'\u0001'.repeat(6)}and more`)).toBe(true);
    }
  });

  it('remembers two that share a place, and forgets the older for a third', () => {
    const seen = new SeenTokens();
    const [a, b, c] = [made(7, 0xffff_fffe), made(7, 2), made(7, 3)];
    expect([a, b, a, b].map((each) => seen.note(each))).toEqual([false, false, true, true]);
    expect([c, b, a, c].map((each) => seen.note(each))).toEqual([false, true, false, true]);
    expect(seen.note(made(8, 2))).toBe(false);
  });

  it('uses every place it has, the last one too', () => {
    const seen = new SeenTokens();
    for (const place of [0, 16_383, 65_535]) {
      expect(seen.note(made(place, 9))).toBe(place === 65_535);
      expect(seen.note(made(place, 9))).toBe(true);
    }
  });
});
