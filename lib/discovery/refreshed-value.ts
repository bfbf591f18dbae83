/** How long a loaded value is good, and who wants to know what became of it. @internal */
export interface RefreshPolicy {
  /** Younger than this it is served as it is. */
  readonly freshSeconds: number;
  /** Younger than this it is served while it is renewed, and when it cannot be renewed. */
  readonly staleSeconds: number;
  readonly now: () => Date;
  /** Told of every value loaded, the first one included. */
  readonly onLoaded?: () => void;
  /** Told of every failure to load. */
  readonly onFailed?: (error: unknown) => void;
}

/** What is known of a value without asking for it. @internal */
export interface RefreshState {
  /** Seconds since it was loaded, or undefined when it never was. */
  readonly ageSeconds: number | undefined;
  /** Why the last attempt failed, or undefined when it did not. */
  readonly failure: unknown;
}

/** After a failure nothing is asked for this long; doubled with each further one, up to the maximum. */
const FIRST_PAUSE_SECONDS = 5;
const LONGEST_PAUSE_SECONDS = 60;

/**
 * A value that comes from elsewhere: loaded when it is first needed, kept, renewed when it grows old, and kept
 * longer when it cannot be renewed. However many ask at once, it is loaded once; after a failure there is a
 * pause in which everybody gets the failure at once. It has no timer: it does something only when asked.
 *
 * @internal
 */
export class RefreshedValue<T> {
  private current: { readonly value: T; readonly loadedAt: number } | undefined;
  private failure: { readonly error: unknown; readonly at: number; readonly count: number } | undefined;
  private pending: Promise<T> | undefined;

  constructor(
    private readonly load: () => Promise<T>,
    private readonly policy: RefreshPolicy,
  ) {}

  /** The value, loaded if need be. A value that is stale is returned at once and renewed behind the scenes. */
  async get(): Promise<T> {
    const { current, policy } = this;
    if (!current) return this.refresh();
    const age = this.seconds() - current.loadedAt;
    if (age < policy.freshSeconds) return current.value;
    if (age >= policy.staleSeconds) return this.refresh();
    this.refresh().catch(() => undefined); // the policy was told; the old value still serves
    return current.value;
  }

  /** Loads the value anew: joins a load that is under way, and fails at once in the pause after a failure. */
  refresh(): Promise<T> {
    if (this.pending) return this.pending;
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the load failed with
    if (this.failure && this.isPausing(this.failure)) return Promise.reject(this.failure.error);
    this.pending = this.attempt().finally(() => {
      this.pending = undefined;
    });
    return this.pending;
  }

  state(): RefreshState {
    const ageSeconds = this.current && this.seconds() - this.current.loadedAt;
    return { ageSeconds, failure: this.failure?.error };
  }

  private async attempt(): Promise<T> {
    try {
      const value = await this.load();
      this.current = { value, loadedAt: this.seconds() };
      this.failure = undefined;
      this.policy.onLoaded?.();
      return value;
    } catch (error) {
      this.failure = { error, at: this.seconds(), count: (this.failure?.count ?? 0) + 1 };
      this.policy.onFailed?.(error);
      throw error;
    }
  }

  private isPausing({ at, count }: { at: number; count: number }): boolean {
    const pause = Math.min(FIRST_PAUSE_SECONDS * 2 ** (count - 1), LONGEST_PAUSE_SECONDS);
    return this.seconds() - at < pause;
  }

  private seconds(): number {
    return this.policy.now().getTime() / 1000;
  }
}
