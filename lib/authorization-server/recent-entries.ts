/**
 * A bounded map that evicts what was used least recently. Entries that have proven themselves are evicted last: however many
 * new entries arrive, they take a tenth of a full map.
 *
 * @internal
 */
export class RecentEntries<V> {
  /** Both in the order of their last use. */
  private readonly proven = new Map<string, V>();
  private readonly unproven = new Map<string, V>();

  /**
   * @param limit - the maximum number of entries, at least 2
   * @param isProven - whether an entry has proven itself; it stays so from then on
   */
  constructor(
    private readonly limit: number,
    private readonly isProven: (value: V) => boolean,
  ) {}

  get size(): number {
    return this.proven.size + this.unproven.size;
  }

  /** Returns an entry without counting it as used. */
  peek(key: string): V | undefined {
    return this.proven.get(key) ?? this.unproven.get(key);
  }

  /** Returns an entry, and counts it as used. */
  use(key: string): V | undefined {
    const value = this.peek(key);
    if (value !== undefined) this.place(key, value);
    return value;
  }

  /** Adds or replaces an entry, and evicts another one if there are too many. */
  set(key: string, value: V): void {
    this.place(key, value);
    while (this.size > this.limit) this.evict();
  }

  delete(key: string): void {
    this.proven.delete(key);
    this.unproven.delete(key);
  }

  /** Returns all entries, those that have proven themselves first. */
  *values(): Generator<V> {
    yield* this.proven.values();
    yield* this.unproven.values();
  }

  /** Puts an entry behind all others of its kind. */
  private place(key: string, value: V): void {
    const wasProven = this.proven.has(key);
    this.delete(key);
    (wasProven || this.isProven(value) ? this.proven : this.unproven).set(key, value);
  }

  private evict(): void {
    const isFromUnproven = this.unproven.size > Math.max(1, this.limit / 10);
    for (const [key, value] of isFromUnproven ? this.unproven : this.proven) {
      this.delete(key);
      // It may have proven itself since its last use.
      if (isFromUnproven && this.isProven(value)) this.proven.set(key, value);
      return;
    }
  }
}
