import type { DownstreamToken } from './downstream-token.js';

/** A token is not used any more this long before it or the caller's token expires. */
const MARGIN_SECONDS = 30;

/** The longest time for which a token is cached. */
const MAX_AGE_SECONDS = 3600;

interface Entry {
  readonly token: DownstreamToken;
  /** Seconds since the epoch. */
  readonly since: number;
  readonly until: number;
}

/**
 * Caches downstream tokens, by keys that begin with the hash of the caller's token. The least recently used ones are evicted.
 *
 * @internal
 */
export class DownstreamTokenCache {
  /** In the order of their last use. */
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly maxEntries: number) {}

  get size(): number {
    return this.entries.size;
  }

  /** Returns the token under a key, or undefined if there is none that is valid long enough. Marks it as used. */
  get(key: string, nowSeconds: number): DownstreamToken | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    // Written so that an entry from the future is not valid either: the clock may have been set back.
    if (!(nowSeconds >= entry.since && nowSeconds < entry.until)) return undefined;
    this.entries.set(key, entry);
    return entry.token;
  }

  /**
   * @param since - the time of the request to the server, in seconds since the epoch
   * @param callerExpiresAt - when the caller's token expires, in seconds since the epoch
   */
  set(key: string, token: DownstreamToken, since: number, callerExpiresAt = Infinity): void {
    const { expiresAt = since } = token;
    const until = Math.min(since + MAX_AGE_SECONDS, Math.min(expiresAt, callerExpiresAt) - MARGIN_SECONDS);
    if (!(until > since)) return;
    this.entries.delete(key);
    this.entries.set(key, { token, since, until });
    for (const eldest of this.entries.keys()) {
      if (this.entries.size <= this.maxEntries) return;
      this.entries.delete(eldest);
    }
  }

  /** Removes all entries of a caller's token. */
  forget(tokenHash: string): void {
    for (const key of this.entries.keys()) if (key.startsWith(tokenHash)) this.entries.delete(key);
  }
}
