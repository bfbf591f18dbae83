/** How full a cache is, and how often it was of use since the application started. @publicApi */
export interface CacheReport {
  readonly entries: number;
  /** The limit; 0 if nothing is cached. */
  readonly maxEntries: number;
  /** How often an entry was found. */
  readonly hits: number;
  /** How often none was found. */
  readonly misses: number;
}
