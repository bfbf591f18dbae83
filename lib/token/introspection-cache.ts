import type { CacheReport } from './cache-report.interface.js';
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

  private hits = 0;
  private misses = 0;

  constructor(private readonly options: Required<IntrospectionCacheOptions>) {}

  get size(): number {
    return this.active.size + this.inactive.size;
  }

  /** Returns the number of entries, their limit, and how often {@link get} found one. */
  state(): CacheReport {
    const { hits, misses } = this;
    return { entries: this.size, maxEntries: 2 * this.options.maxEntries, hits, misses };
  }

  /** Returns the response under a key, or undefined if there is none or it is too old. Counts, and marks it as used. */
  get(key: string, nowSeconds: number): IntrospectionAnswer | undefined {
    const answer = this.use(key, nowSeconds);
    if (answer === undefined) this.misses += 1;
    else this.hits += 1;
    return answer;
  }

  /** As {@link get}, but changes nothing. */
  peek(key: string, nowSeconds: number): IntrospectionAnswer | undefined {
    const entry = this.active.get(key) ?? this.inactive.get(key);
    return entry && isValid(entry, nowSeconds) ? entry.answer : undefined;
  }

  private use(key: string, nowSeconds: number): IntrospectionAnswer | undefined {
    const entries = this.active.has(key) ? this.active : this.inactive;
    const entry = entries.get(key);
    if (!entry) return undefined;
    entries.delete(key);
    if (!isValid(entry, nowSeconds)) return undefined;
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

/** Written so that an entry from the future is not valid either: the clock may have been set back. */
function isValid({ since, until }: Entry, nowSeconds: number): boolean {
  return nowSeconds >= since && nowSeconds < until;
}
