import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { resolveOptions } from '../options/resolve-options.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { type CachedToken, VerifiedTokenCache } from './verified-token.cache.js';

const NOW = 1_800_000_000;
const R1 = {} as KnownResource;
const R2 = {} as KnownResource;
const verifier = {};

const entry = (keptAt = NOW, issuer = 'https://as.example'): CachedToken => ({
  admitted: {
    issuer,
    subject: 'u1',
    clientId: 'c1',
    scopes: [],
    expiresAt: undefined,
    audience: [],
    claims: {},
  },
  requiresExpiry: true,
  keptAt,
});

const options = (tokenCache?: unknown): ResolvedMcpAuthOptions =>
  resolveOptions({
    resources: { resource: 'https://api.example.com/notes', authorizationServers: ['https://as.example'] },
    ...(tokenCache !== undefined && { tokenCache }),
  });

const make = (tokenCache?: unknown): VerifiedTokenCache => new VerifiedTokenCache(options(tokenCache));

/** Keeps entries in order and says which are found then. */
function found(cache: VerifiedTokenCache, kept: readonly [string, CachedToken][], now = NOW): string[] {
  for (const [key, token] of kept) cache.keep(key, R1, verifier, token, cache.generation);
  return [...new Set(kept.map(([key]) => key))].filter((key) => cache.find(key, R1, verifier, now));
}

describe('VerifiedTokenCache', () => {
  it('finds what it keeps, by a hash that is not the token', () => {
    const cache = make();
    const key = cache.keyOf('a token')!;
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(cache.keyOf('a token=')).not.toBe(key);
    const token = entry();
    expect(cache.find(key, R1, verifier, NOW)).toBeUndefined();
    cache.keep(key, R1, verifier, token, cache.generation);
    expect(cache.find(key, R1, verifier, NOW)).toBe(token);
    expect(cache.find('other', R1, verifier, NOW)).toBeUndefined();
  });

  verifies(['OPS-05', 'AUD-07'], 'keeps resources and verifiers apart', () => {
    const cache = make();
    found(cache, [['k', entry()]]);
    expect(cache.find('k', R2, verifier, NOW)).toBeUndefined();
    expect(cache.find('k', R1, {}, NOW)).toBeUndefined();
    expect(cache.find('k', R1, verifier, NOW)).toBeDefined();
    const other = {};
    cache.keep('k2', R1, other, entry(), cache.generation);
    expect(cache.find('k', R1, verifier, NOW)).toBeUndefined();
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

  it('forgets the oldest beyond the limit, and counts a renewed one as new', () => {
    const cache = make({ maxEntries: 2 });
    expect(
      found(cache, [
        ['a', entry()],
        ['b', entry()],
        ['a', entry()],
        ['c', entry()],
      ]),
    ).toEqual(['a', 'c']);
  });

  it('forgets what is too old when something is added', () => {
    const cache = make();
    for (const [key, at] of [
      ['a', NOW],
      ['b', NOW + 30],
      ['c', NOW + 70],
    ] as const) {
      cache.keep(key, R1, verifier, entry(at), cache.generation);
    }
    const shelves = (cache as unknown as { shelves: Map<unknown, { tokens: Map<string, unknown> }> }).shelves;
    expect([...shelves.get(R1)!.tokens.keys()]).toEqual(['b', 'c']);
  });

  it('forgets the tokens of one issuer, and does not keep what was verified before', () => {
    const cache = make();
    const { generation } = cache;
    found(cache, [
      ['a', entry()],
      ['b', entry(NOW, 'https://other.example')],
    ]);
    cache.dropIssuer('https://as.example');
    expect(['a', 'b'].filter((key) => cache.find(key, R1, verifier, NOW))).toEqual(['b']);
    cache.keep('a', R1, verifier, entry(), generation);
    expect(cache.find('a', R1, verifier, NOW)).toBeUndefined();
    expect(found(cache, [['a', entry()]])).toEqual(['a']);
  });

  it('forgets them when keys or metadata are renewed', () => {
    const events = new McpAuthEvents(options());
    const cache = new VerifiedTokenCache(options(), events);
    for (const type of ['keysRefreshed', 'metadataRefreshed'] as const) {
      expect(found(cache, [['a', entry()]])).toEqual(['a']);
      events[type]('https://as.example');
      expect(cache.find('a', R1, verifier, NOW)).toBeUndefined();
    }
  });

  it('keeps nothing when it is off', () => {
    const cache = make(false);
    expect(cache.keyOf('t')).toBeUndefined();
    cache.keep(undefined, R1, verifier, entry(), cache.generation);
    cache.keep('k', R1, verifier, entry(), cache.generation);
    expect(cache.find(undefined, R1, verifier, NOW)).toBeUndefined();
    expect(cache.find('k', R1, verifier, NOW)).toBeUndefined();
  });

  it.each([[true], ['off'], [null], [[]]])('refuses %j for the option', (tokenCache) => {
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
  ])('refuses %j for the option', (tokenCache, message) => {
    expect(() => options(tokenCache)).toThrow(message);
  });

  it('has its defaults', () => {
    expect(options().tokenCache).toEqual({ maxEntries: 10_000, maxAgeSeconds: 60 });
    expect(options({ maxEntries: 1 }).tokenCache).toEqual({ maxEntries: 1, maxAgeSeconds: 60 });
    expect(options(false).tokenCache).toBeUndefined();
  });
});
