import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SeenTokens } from './seen-tokens.js';

/** As good as random, and the same each time. */
const tokenOf = (number: number): string => hash('sha256', String(number), 'base64url');
const tokensOf = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => tokenOf(from + index));

/** Found by trying. */
const SAME_PLACE = ['token-493', 'token-599', 'token-1038'] as const;

describe('SeenTokens', () => {
  it('knows what was noted before, and nothing else', () => {
    const seen = new SeenTokens();
    const tokens = tokensOf(0, 50);
    expect(tokens.filter((token) => seen.has(token))).toEqual([]);
    expect(tokens.filter((token) => seen.note(token))).toEqual([]);
    expect(tokens.filter((token) => seen.has(token))).toEqual(tokens);
    expect(tokens.filter((token) => seen.note(token))).toEqual(tokens);
    expect(tokensOf(50, 1000).filter((token) => seen.has(token))).toEqual([]);
  });

  it('goes by the last sixteen characters, wherever one of them differs', () => {
    const seen = new SeenTokens();
    const token = tokenOf(1);
    seen.note(token);
    for (let at = 0; at < token.length; at++) {
      const near = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      expect([at, seen.has(near)]).toEqual([at, at < token.length - 16]);
    }
  });

  it('takes short tokens too', () => {
    const seen = new SeenTokens();
    for (const token of ['', 'a', 'b', 'abcdefgh', 'abcdefghi']) {
      expect(seen.has(token)).toBe(false);
      expect(seen.note(token)).toBe(false);
      expect(seen.has(token)).toBe(true);
    }
  });

  it('remembers two that share a place, and forgets the older for a third', () => {
    const [a, b, c] = SAME_PLACE;
    const seen = new SeenTokens();
    expect([a, b, a, b].map((each) => seen.note(each))).toEqual([false, false, true, true]);
    expect([c, b, a, c].map((each) => seen.note(each))).toEqual([false, true, false, true]);
  });

  it('remembers nearly all of as many as it has places', () => {
    const seen = new SeenTokens();
    const tokens = tokensOf(0, 16_384);
    for (const token of tokens) seen.note(token);
    expect(tokens.filter((token) => seen.has(token)).length).toBeGreaterThan(14_000);
  });
});
