import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { CacheReport } from '../token/cache-report.interface.js';
import type { TokenCacheOptions } from '../options/mcp-auth-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { declaredResource, type ProtectedResource } from '../resource/protected-resource.registry.js';
import type { ValidatedToken } from '../policy/validate-claims.js';
import type { TimeRules } from '../policy/time-claims.js';

/** Maximum number of tokens that count as seen before. If one more arrives, all are cleared. */
const MAX_SEEN = 16_384;

/** A token that was validated once. Its time is checked again with each request. @internal */
export interface CachedToken extends TimeRules {
  readonly validated: ValidatedToken;
  /** Seconds since the epoch. */
  readonly keptAt: number;
}

/** An entry. */
interface KeptToken extends CachedToken {
  /** The resource of a tenant: when what belongs to the tenant has changed, another one takes its place. */
  readonly resource?: ProtectedResource;
}

/**
 * The tokens that one verifier validated for one resource of the options, by the hash of the token, in the order of
 * verification. The tenants of a template share it, and the hash is of token and tenant.
 */
interface Shelf {
  readonly verifier: object;
  readonly tokens: Map<string, KeptToken>;
  /** When old tokens were last evicted, in seconds since the epoch. */
  sweptAt: number;
}

/**
 * Caches validated tokens for a short time, so that a token in use is not verified again with each request. A token is cached
 * when it is verified for the second time. So a token that is used once takes no memory, costs no garbage collection, and does
 * not evict tokens in use.
 *
 * An entry belongs to one resource (of a tenant, if there are tenants) and one verifier, and is found by a hash of the token: no token is stored. Rejections are
 * not cached. Tokens of an issuer are evicted when its keys or its metadata are renewed.
 *
 * @internal
 */
@Injectable()
export class VerifiedTokenCache {
  private readonly shelves = new Map<ProtectedResource, Shelf>();
  private readonly seen = new Set<number>();
  private readonly limits: Required<TokenCacheOptions>;
  private readonly resourceCount: number;
  private forgotten = 0;
  private hitCount = 0;
  private missCount = 0;

  constructor(
    @Inject(MCP_AUTH_OPTIONS)
    { tokenCache, resources }: Pick<ResolvedMcpAuthOptions, 'tokenCache' | 'resources'>,
    events: McpAuthEvents,
  ) {
    // API keys of a resource have entries of their own.
    this.resourceCount = resources.length + resources.filter(({ apiKeys }) => apiKeys).length;
    this.limits = tokenCache ?? { maxEntries: 0, maxAgeSeconds: 0 };
    for (const type of ['keys_refreshed', 'metadata_refreshed'] as const) {
      events.on(type, ({ issuer }) => {
        this.dropIssuer(issuer);
      });
    }
  }

  /** How often tokens of an issuer were evicted: a token that was verified with earlier keys is not cached after that. */
  get generation(): number {
    return this.forgotten;
  }

  /** Returns the number of entries of all resources, their limit, and how often {@link find} found a token. */
  state(): CacheReport {
    let entries = 0;
    for (const { tokens } of this.shelves.values()) entries += tokens.size;
    const maxEntries = this.limits.maxEntries * this.resourceCount;
    return { entries, maxEntries, hits: this.hitCount, misses: this.missCount };
  }

  /** Returns the entry of a token, and counts whether there is one. */
  find(token: string, resource: ProtectedResource, verifier: object, now: number): CachedToken | undefined {
    const known = this.lookUp(token, resource, verifier, now);
    if (known) this.hitCount += 1;
    else this.missCount += 1;
    return known;
  }

  /** Returns the entry of a token. A token that was never seen is not hashed (benchmark: "guard alone, first sight"). */
  private lookUp(
    token: string,
    resource: ProtectedResource,
    verifier: object,
    now: number,
  ): CachedToken | undefined {
    const shelf = this.shelves.get(declaredResource(resource));
    if (shelf?.verifier !== verifier || !this.seen.has(markOf(token))) return undefined;
    const key = keyOf(token, resource);
    const known = shelf.tokens.get(key);
    if (known === undefined) return undefined;
    const isCurrent = known.resource === undefined || known.resource === resource;
    if (isCurrent && this.isYoung(known, now)) return known;
    shelf.tokens.delete(key);
    return undefined;
  }

  /**
   * Caches a token, if it arrives for the second time.
   *
   * @param generation - its value before the token was verified
   */
  keep(
    token: string,
    resource: ProtectedResource,
    verifier: object,
    verified: CachedToken,
    generation: number,
  ): void {
    if (this.limits.maxEntries === 0 || generation !== this.forgotten || !this.wasSeen(token)) return;
    if (this.lookUp(token, resource, verifier, verified.keptAt)) return; // verified twice at the same time
    const shelf = this.shelfOf(declaredResource(resource), verifier, verified.keptAt);
    const kept = resource.tenant === undefined ? verified : { ...verified, resource };
    shelf.tokens.set(keyOf(token, resource), kept);
    this.sweep(shelf, verified.keptAt);
  }

  /** Whether a token was seen before. If not, it is now. */
  private wasSeen(token: string): boolean {
    const mark = markOf(token);
    if (this.seen.has(mark)) return true;
    if (this.seen.size >= MAX_SEEN) this.seen.clear();
    this.seen.add(mark);
    return false;
  }

  /** Evicts old entries, once in a while, and an eighth at once beyond the limit: finding the oldest takes time. */
  private sweep(shelf: Shelf, now: number): void {
    const { tokens } = shelf;
    const { maxEntries, maxAgeSeconds } = this.limits;
    const isFull = tokens.size > maxEntries;
    if (!isFull && now < shelf.sweptAt + maxAgeSeconds) return;
    shelf.sweptAt = now;
    const most = isFull ? maxEntries - (maxEntries >> 3) : maxEntries;
    for (const [key, token] of tokens) {
      if (tokens.size <= most && this.isYoung(token, now)) return;
      tokens.delete(key);
    }
  }

  /** Evicts the tokens of an issuer. */
  dropIssuer(issuer: string): void {
    this.forgotten += 1;
    for (const { tokens } of this.shelves.values()) {
      for (const [key, { validated }] of tokens) if (validated.issuer === issuer) tokens.delete(key);
    }
  }

  /** Written so that a clock that was set back, or returns NaN, finds nothing. */
  private isYoung({ keptAt }: CachedToken, now: number): boolean {
    return now >= keptAt && now < keptAt + this.limits.maxAgeSeconds;
  }

  private shelfOf(resource: ProtectedResource, verifier: object, now: number): Shelf {
    const known = this.shelves.get(resource);
    if (known?.verifier === verifier) return known;
    const shelf: Shelf = { verifier, tokens: new Map(), sweptAt: now };
    this.shelves.set(resource, shelf);
    return shelf;
  }
}

/** Returns the key of a token in the cache. It is unambiguous, because neither a URL nor a token contains a line break. */
function keyOf(token: string, { tenant, options }: ProtectedResource): string {
  return hash('sha256', tenant === undefined ? token : `${options.resource}\n${token}`, 'base64url');
}

/**
 * Returns a hash of the end of a token (FNV-1a): the end of a JWT is the end of its signature, which is as good as random. Two
 * tokens may have the same hash, so it only chooses what to cache, and nothing else.
 */
function markOf(token: string): number {
  let mark = 0x811c9dc5;
  for (let at = Math.max(0, token.length - 16); at < token.length; at++) {
    mark = Math.imul(mark ^ token.charCodeAt(at), 0x01000193);
  }
  return mark;
}
