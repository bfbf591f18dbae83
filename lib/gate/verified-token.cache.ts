import { hash } from 'node:crypto';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type TokenCacheOptions } from '../options/mcp-auth-options.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { type AdmittedToken } from './admit.js';
import { SeenTokens } from './seen-tokens.js';
import { type TimeRules } from './time-claims.js';

/** A token that was admitted once. Whether its time is right is decided anew each time. @internal */
export interface CachedToken extends TimeRules {
  readonly admitted: AdmittedToken;
  /** Seconds since the epoch. */
  readonly keptAt: number;
}

/** An entry in the order in which they were made. */
interface Kept {
  readonly key: string;
  readonly token: CachedToken;
  next: Kept | undefined;
}

/**
 * What one verifier admitted for one resource. The order is kept beside the map: its own is slow to find the oldest by,
 * once many were taken out.
 */
interface Shelf {
  readonly verifier: object;
  readonly tokens: Map<string, Kept>;
  oldest: Kept | undefined;
  newest: Kept | undefined;
  /** How many stand in line, with those that are no longer in the map. */
  length: number;
}

/**
 * Remembers admitted tokens for a short time, so that a token in use is not verified again with each request. A token is
 * remembered when it is verified for the second time: one that is used once takes no memory, costs no garbage
 * collection, and does not push out those in use.
 *
 * An entry belongs to one resource and one verifier, and is found by a hash of the token: no token is kept.
 * Refusals are not kept. Tokens of an issuer are forgotten when its keys or its metadata are renewed.
 *
 * @internal
 */
@Injectable()
export class VerifiedTokenCache {
  private readonly shelves = new Map<KnownResource, Shelf>();
  private readonly seen = new SeenTokens();
  private readonly limits: Required<TokenCacheOptions>;
  private forgotten = 0;

  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'tokenCache'>,
    @Optional() events?: McpAuthEvents,
  ) {
    this.limits = options.tokenCache ?? { maxEntries: 0, maxAgeSeconds: 0 };
    for (const type of ['keys_refreshed', 'metadata_refreshed'] as const) {
      events?.on(type, ({ issuer }) => {
        this.dropIssuer(issuer);
      });
    }
  }

  /** How often tokens were forgotten: what was verified with the keys of before is not kept after. */
  get generation(): number {
    return this.forgotten;
  }

  /** What is remembered of a token. A token that never came before is told by its looks, at next to no cost. */
  find(token: string, resource: KnownResource, verifier: object, now: number): CachedToken | undefined {
    const shelf = this.shelves.get(resource);
    if (shelf?.verifier !== verifier || !this.seen.has(token)) return undefined;
    const key = keyOf(token);
    const known = shelf.tokens.get(key)?.token;
    if (known === undefined || this.isYoung(known, now)) return known;
    shelf.tokens.delete(key);
    return undefined;
  }

  /**
   * Keeps a token, if it comes for the second time.
   *
   * @param generation - what it was before the token was verified
   */
  keep(
    token: string,
    resource: KnownResource,
    verifier: object,
    verified: CachedToken,
    generation: number,
  ): void {
    if (!this.options.tokenCache || generation !== this.forgotten || !this.seen.note(token)) return;
    if (this.find(token, resource, verifier, verified.keptAt)) return; // verified twice at the same time
    const shelf = this.shelfOf(resource, verifier);
    const kept: Kept = { key: keyOf(token), token: verified, next: undefined };
    shelf.tokens.set(kept.key, kept);
    if (shelf.newest) shelf.newest.next = kept;
    shelf.newest = kept;
    shelf.oldest ??= kept;
    shelf.length += 1;
    this.dropOldest(shelf, verified.keptAt);
  }

  private dropOldest(shelf: Shelf, now: number): void {
    let { oldest } = shelf;
    while (oldest && (shelf.length > this.limits.maxEntries || !this.isYoung(oldest.token, now))) {
      if (shelf.tokens.get(oldest.key) === oldest) shelf.tokens.delete(oldest.key);
      shelf.length -= 1;
      oldest = oldest.next;
    }
    shelf.oldest = oldest;
  }

  /** Forgets the tokens of an issuer. */
  dropIssuer(issuer: string): void {
    this.forgotten += 1;
    for (const { tokens } of this.shelves.values()) {
      for (const [key, { token }] of tokens) if (token.admitted.issuer === issuer) tokens.delete(key);
    }
  }

  /** Written so that a clock that went back, or gives NaN, finds nothing. */
  private isYoung({ keptAt }: CachedToken, now: number): boolean {
    return now >= keptAt && now < keptAt + this.limits.maxAgeSeconds;
  }

  private shelfOf(resource: KnownResource, verifier: object): Shelf {
    const known = this.shelves.get(resource);
    if (known?.verifier === verifier) return known;
    const shelf: Shelf = { verifier, tokens: new Map(), oldest: undefined, newest: undefined, length: 0 };
    this.shelves.set(resource, shelf);
    return shelf;
  }
}

/** What stands for a token in the cache. */
function keyOf(token: string): string {
  return hash('sha256', token, 'base64url');
}
