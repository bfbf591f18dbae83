import type { IntrospectionCacheOptions } from '../options/introspection-options.js';
import type { IntrospectionAnswer } from './introspection-response.js';

interface Entry {
  readonly answer: IntrospectionAnswer;
  /** Seconds since the epoch. */
  readonly since: number;
  readonly until: number;
}

/** Entries in the order of their last use. */
type Entries = Map<string, Entry>;

/**
 * Caches introspection responses of one server to one client.
 *
 * Responses about active tokens are cached at most until the token expires, and not at all without an expiry. If the
 * cache is full, it evicts the least recently used response of the same kind. So a client that sends random tokens
 * cannot evict responses about active tokens.
 *
 * @internal
 */
export class IntrospectionCache {
  private readonly active: Entries = new Map();
  private readonly inactive: Entries = new Map();

  constructor(private readonly options: Required<IntrospectionCacheOptions>) {}

  get size(): number {
    return this.active.size + this.inactive.size;
  }

  /** Returns the response under a key, or undefined if there is none or it is too old. */
  get(key: string, nowSeconds: number): IntrospectionAnswer | undefined {
    const entries = this.active.has(key) ? this.active : this.inactive;
    const entry = entries.get(key);
    if (!entry) return undefined;
    entries.delete(key);
    // Also rejects entries from the future: the clock may have been set back.
    if (nowSeconds < entry.since || !(nowSeconds < entry.until)) return undefined;
    entries.set(key, entry);
    return entry.answer;
  }

  /** @param since - the time of the request to the server, in seconds since the epoch */
  set(key: string, answer: IntrospectionAnswer, since: number): void {
    this.active.delete(key);
    this.inactive.delete(key);
    const until = this.until(answer, since);
    if (!(until > since)) return;
    const entries = answer === null ? this.inactive : this.active;
    entries.set(key, { answer, since, until });
    if (entries.size <= this.options.maxEntries) return;
    for (const eldest of entries.keys()) {
      entries.delete(eldest);
      return;
    }
  }

  private until(answer: IntrospectionAnswer, since: number): number {
    const { maxAgeSeconds, negativeMaxAgeSeconds } = this.options;
    if (answer === null) return since + negativeMaxAgeSeconds;
    const { exp } = answer;
    return typeof exp === 'number' ? Math.min(exp, since + maxAgeSeconds) : since;
  }
}
