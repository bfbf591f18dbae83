import { hash } from 'node:crypto';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type TokenCacheOptions } from '../options/mcp-auth-options.interface.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { type AdmittedToken } from './admit.js';
import { type TimeRules } from './time-claims.js';

/** A token that was admitted once. Whether its time is right is decided anew each time. @internal */
export interface CachedToken extends TimeRules {
  readonly admitted: AdmittedToken;
  /** Seconds since the epoch. */
  readonly keptAt: number;
}

/** What one verifier admitted for one resource, oldest first. */
interface Shelf {
  readonly verifier: object;
  readonly tokens: Map<string, CachedToken>;
}

/**
 * Remembers admitted tokens for a short time, so that a token in use is not verified again with each request.
 *
 * An entry belongs to one resource and one verifier, and is found by a hash of the token: no token is kept.
 * Refusals are not kept. Tokens of an issuer are forgotten when its keys or its metadata are renewed.
 *
 * @internal
 */
@Injectable()
export class VerifiedTokenCache {
  private readonly shelves = new Map<KnownResource, Shelf>();
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

  /** What stands for a token in the cache; undefined when nothing is kept. */
  keyOf(token: string): string | undefined {
    return this.options.tokenCache && hash('sha256', token, 'base64url');
  }

  find(
    key: string | undefined,
    resource: KnownResource,
    verifier: object,
    now: number,
  ): CachedToken | undefined {
    const shelf = this.shelves.get(resource);
    if (key === undefined || shelf?.verifier !== verifier) return undefined;
    const known = shelf.tokens.get(key);
    if (known === undefined || this.isYoung(known, now)) return known;
    shelf.tokens.delete(key);
    return undefined;
  }

  /** @param generation - what it was before the token was verified */
  keep(
    key: string | undefined,
    resource: KnownResource,
    verifier: object,
    token: CachedToken,
    generation: number,
  ): void {
    if (key === undefined || generation !== this.forgotten) return;
    const { tokens } = this.shelfOf(resource, verifier);
    tokens.delete(key); // so that it goes to the end
    tokens.set(key, token);
    for (const [oldest, entry] of tokens) {
      if (tokens.size <= this.limits.maxEntries && this.isYoung(entry, token.keptAt)) break;
      tokens.delete(oldest);
    }
  }

  /** Forgets the tokens of an issuer. */
  dropIssuer(issuer: string): void {
    this.forgotten += 1;
    for (const { tokens } of this.shelves.values()) {
      for (const [key, { admitted }] of tokens) if (admitted.issuer === issuer) tokens.delete(key);
    }
  }

  /** Written so that a clock that went back, or gives NaN, finds nothing. */
  private isYoung({ keptAt }: CachedToken, now: number): boolean {
    return now >= keptAt && now < keptAt + this.limits.maxAgeSeconds;
  }

  private shelfOf(resource: KnownResource, verifier: object): Shelf {
    const known = this.shelves.get(resource);
    if (known?.verifier === verifier) return known;
    const shelf: Shelf = { verifier, tokens: new Map() };
    this.shelves.set(resource, shelf);
    return shelf;
  }
}
