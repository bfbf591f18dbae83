import { type IntrospectionCacheOptions } from '../options/introspection-options.interface.js';
import { type IntrospectionAnswer } from './introspection-response.js';

interface Entry {
  readonly answer: IntrospectionAnswer;
  /** Seconds since the epoch. */
  readonly since: number;
  readonly until: number;
}

/**
 * Answers of one server to one client, for a while: those about active tokens never past their expiry, and not at
 * all without one. The least recently used ones make room.
 *
 * @internal
 */
export class IntrospectionCache {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: Required<IntrospectionCacheOptions>) {}

  get size(): number {
    return this.entries.size;
  }

  /** The answer under a key, or undefined when there is none, or one that is too old. */
  get(key: string, nowSeconds: number): IntrospectionAnswer | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    // Before its time too: a clock that was set back makes nothing younger.
    if (nowSeconds < entry.since || !(nowSeconds < entry.until)) return undefined;
    this.entries.set(key, entry);
    return entry.answer;
  }

  /** @param since - when the server was asked, in seconds since the epoch */
  set(key: string, answer: IntrospectionAnswer, since: number): void {
    this.entries.delete(key);
    const until = this.until(answer, since);
    if (!(until > since)) return;
    this.entries.set(key, { answer, since, until });
    if (this.entries.size <= this.options.maxEntries) return;
    for (const eldest of this.entries.keys()) {
      this.entries.delete(eldest);
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
