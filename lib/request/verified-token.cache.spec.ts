import { hash } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { type CachedToken, VerifiedTokenCache } from './verified-token.cache.js';

const NOW = 1_800_000_000;
const R1 = {} as ProtectedResource;
const R2 = {} as ProtectedResource;
const verifier = {};

const entry = (keptAt = NOW, issuer = 'https://as.example'): CachedToken => ({
  validated: {
    issuer,
    subject: 'u1',
    clientId: 'c1',
    scopes: [],
    expiresAt: undefined,
    audience: [],
    claims: {},
    confirmation: undefined,
    actor: undefined,
  },
  requiresExpiry: true,
  keptAt,
});

const options = (tokenCache?: unknown): ResolvedMcpAuthOptions =>
  resolveOptions({
    resources: { resource: 'https://api.example.com/notes', authorizationServers: ['https://as.example'] },
    ...(tokenCache !== undefined && { tokenCache }),
  });

const make = (tokenCache?: unknown): VerifiedTokenCache =>
  new VerifiedTokenCache(options(tokenCache), new McpAuthEvents(options()));

/** Keeps a token that has been there before. */
function keep(cache: VerifiedTokenCache, name: string, token = entry(), by: object = verifier): void {
  for (let time = 0; time < 2; time++) cache.keep(name, R1, by, token, cache.generation);
}

const find = (cache: VerifiedTokenCache, name: string, now = NOW): CachedToken | undefined =>
  cache.find(name, R1, verifier, now);

const keysOf = (cache: VerifiedTokenCache): string[] => {
  const { shelves } = cache as unknown as { shelves: Map<unknown, { tokens: Map<string, unknown> }> };
  return [...shelves.get(R1)!.tokens.keys()];
};

/** Keeps entries in order and says which are found then. */
function found(cache: VerifiedTokenCache, kept: readonly [string, CachedToken][], now = NOW): string[] {
  for (const [name, token] of kept) keep(cache, name, token);
  return [...new Set(kept.map(([name]) => name))].filter((name) => find(cache, name, now));
}

describe('VerifiedTokenCache', () => {
  it('finds what it keeps, by a hash that is not the token', () => {
    const cache = make();
    const [name, token] = ['a token that has more characters than are needed to tell it', entry()];
    expect(find(cache, name)).toBeUndefined();
    keep(cache, name, token);
    expect(find(cache, name)).toBe(token);
    for (const near of [`A${name.slice(1)}`, `${name}=`, name.slice(1), name.slice(-16)]) {
      expect(find(cache, near)).toBeUndefined();
    }
    expect(inspect(cache, { depth: Infinity })).not.toContain(name.slice(-16));
    expect(keysOf(cache)).toEqual([hash('sha256', name, 'base64url')]);
  });

  it('keeps a token when it comes for the second time, and again as soon as it is too old', () => {
    const cache = make();
    const come = (at: number): boolean => {
      const known = find(cache, 'a', at) !== undefined;
      if (!known) cache.keep('a', R1, verifier, entry(at), cache.generation);
      return known;
    };
    expect([0, 1, 2, 60, 61, 62, 120].map((after) => come(NOW + after))).toEqual([
      ...[false, false, true],
      ...[true, false, true, true],
    ]);
  });

  it('keeps short tokens too, each by itself', () => {
    const cache = make();
    const names = ['', 'a', 'b', 'abcdefgh', 'abcdefghi'];
    for (const name of names) {
      cache.keep(name, R1, verifier, entry(), cache.generation);
      expect(find(cache, name)).toBeUndefined();
    }
    expect(
      found(
        cache,
        names.map((name) => [name, entry()]),
      ),
    ).toEqual(names);
  });

  it('knows of 16,384 tokens that they came before, then begins anew and finds what it has', () => {
    const cache = make();
    const come = (name: string): void => {
      cache.keep(name, R1, verifier, entry(), cache.generation);
    };
    const tokens = Array.from({ length: 16_384 }, (_, number) => hash('sha256', String(number), 'base64url'));
    const first = entry();
    keep(cache, tokens[0]!, first);
    for (const token of tokens.slice(1)) come(token);
    come(tokens[1]!);
    expect(keysOf(cache)).toHaveLength(2);
    expect(find(cache, tokens[0]!)).toBe(first);
    come('one more');
    come(tokens[2]!);
    expect(keysOf(cache)).toHaveLength(2);
    come(tokens[0]!);
    expect(find(cache, tokens[0]!)).toBe(first);
  });

  verifies(['OPS-05', 'AUD-07'], 'keeps resources and verifiers apart', () => {
    const cache = make();
    keep(cache, 'k');
    expect(cache.find('k', R2, verifier, NOW)).toBeUndefined();
    expect(cache.find('k', R1, {}, NOW)).toBeUndefined();
    expect(find(cache, 'k')).toBeDefined();
    const other = {};
    keep(cache, 'k2', entry(), other);
    expect(find(cache, 'k')).toBeUndefined();
    expect(cache.find('k2', R1, other, NOW)).toBeDefined();
  });

  it('finds nothing older than the limit, or from the future, or by a broken clock', () => {
    for (const [now, expected] of [
      [NOW - 0.001, []],
      [NOW, ['k']],
      [NOW + 59.999, ['k']],
      [NOW + 60, []],
      [NaN, []],
    ] as const) {
      expect(found(make(), [['k', entry()]], now)).toEqual(expected);
    }
    expect(found(make({ maxAgeSeconds: 1 }), [['k', entry()]], NOW + 1)).toEqual([]);
  });

  it('forgets the oldest beyond the limit, and counts one that was too old as new', () => {
    const kept = (again: number): [string, CachedToken][] => [
      ['a', entry()],
      ['b', entry(NOW + 1)],
      ['a', entry(NOW + again)],
      ['c', entry(NOW + again)],
    ];
    expect(found(make({ maxEntries: 2 }), kept(60), NOW + 60)).toEqual(['a', 'c']);
    expect(found(make({ maxEntries: 2 }), kept(59), NOW + 59)).toEqual(['b', 'c']);
  });

  it('forgets an eighth at once beyond a limit of eight or more', () => {
    const kept = Array.from(
      { length: 18 },
      (_, number) => [String(number), entry()] as [string, CachedToken],
    );
    const cache = make({ maxEntries: 16 });
    expect(found(cache, kept.slice(0, 16))).toHaveLength(16);
    expect(found(cache, kept)).toEqual(kept.slice(3).map(([name]) => name));
  });

  it('counts the age of a token that is verified twice at the same time from the first', () => {
    const cache = make();
    const first = entry();
    keep(cache, 'a', first);
    keep(cache, 'a', entry(NOW + 1));
    expect(find(cache, 'a', NOW + 1)).toBe(first);
  });

  it('forgets what is too old when something is added, and what the clock cannot place', () => {
    const cache = make();
    for (const [name, at] of [
      ['a', NOW],
      ['b', NOW + 30],
      ['c', NOW + 70],
    ] as const) {
      keep(cache, name, entry(at));
    }
    expect(keysOf(cache)).toEqual(['b', 'c'].map((name) => hash('sha256', name, 'base64url')));
    keep(cache, 'd', entry(NaN));
    expect(keysOf(cache)).toEqual([]);
    expect(found(cache, [['e', entry()]])).toEqual(['e']);
  });

  it('has one of each in line, whatever was found too old or forgotten in between', () => {
    const cache = make({ maxEntries: 3 });
    keep(cache, 'a', entry(NOW - 59));
    keep(cache, 'b', entry(NOW - 58));
    expect(find(cache, 'a', NOW + 1)).toBeUndefined();
    keep(cache, 'a');
    cache.dropIssuer('https://as.example');
    expect(found(cache, [['b', entry()]])).toEqual(['b']);
    expect(found(cache, [['a', entry()]])).toEqual(['a']);
    // What was dropped stands in line before them, and goes first.
    expect(found(cache, [['c', entry()]])).toEqual(['c']);
    expect(['b', 'a', 'c'].filter((name) => find(cache, name))).toEqual(['b', 'a', 'c']);
    expect(found(cache, [['d', entry()]])).toEqual(['d']);
    expect(['b', 'a', 'c'].filter((name) => find(cache, name))).toEqual(['a', 'c']);
  });

  it('forgets the tokens of one issuer, and does not keep what was verified before', () => {
    const cache = make();
    const { generation } = cache;
    found(cache, [
      ['a', entry()],
      ['b', entry(NOW, 'https://other.example')],
    ]);
    cache.dropIssuer('https://as.example');
    expect(['a', 'b'].filter((name) => find(cache, name))).toEqual(['b']);
    cache.keep('a', R1, verifier, entry(), generation);
    expect(find(cache, 'a')).toBeUndefined();
    expect(found(cache, [['a', entry()]])).toEqual(['a']);
  });

  it('forgets them when keys or metadata are renewed', () => {
    const events = new McpAuthEvents(options());
    const cache = new VerifiedTokenCache(options(), events);
    for (const type of ['keysRefreshed', 'metadataRefreshed'] as const) {
      expect(found(cache, [['a', entry()]])).toEqual(['a']);
      events[type]('https://as.example');
      expect(find(cache, 'a')).toBeUndefined();
    }
  });

  it('keeps nothing when it is off', () => {
    const cache = make(false);
    keep(cache, 'k');
    expect(find(cache, 'k')).toBeUndefined();
  });

  it.each([[true], ['off'], [null], [[]]])('rejects %j for the option', (tokenCache) => {
    expect(() => options(tokenCache)).toThrow('tokenCache: must be false or an object');
  });

  it.each([
    [{ maxEntries: 0 }, 'tokenCache.maxEntries: must be a whole number of entries from 1 to 1000000; got 0'],
    [{ maxEntries: 1_000_001 }, 'tokenCache.maxEntries: must be'],
    [{ maxAgeSeconds: 0 }, 'tokenCache.maxAgeSeconds: must be'],
    [
      { maxAgeSeconds: 301 },
      'tokenCache.maxAgeSeconds: must be a whole number of seconds from 1 to 300; got 301',
    ],
    [{ maxAgeSecond: 5 }, 'tokenCache.maxAgeSecond: is not an option. Did you mean "maxAgeSeconds"?'],
  ])('rejects %j for the option', (tokenCache, message) => {
    expect(() => options(tokenCache)).toThrow(message);
  });

  it('has its defaults', () => {
    expect(options().tokenCache).toEqual({ maxEntries: 10_000, maxAgeSeconds: 60 });
    expect(options({ maxEntries: 1 }).tokenCache).toEqual({ maxEntries: 1, maxAgeSeconds: 60 });
    expect(options(false).tokenCache).toBeUndefined();
  });
});
