import { outsideRequests } from '../platform/outside-requests.js';
import { steadySeconds } from './steady-clock.js';

/** How long a loaded value is valid, and callbacks for loads and failures. @internal */
export interface RefreshPolicy {
  /** Below this age the value is used without a load. */
  readonly freshSeconds: number;
  /** Below this age the value is used if it cannot be renewed. */
  readonly staleSeconds: number;
  /**
   * The last part of the fresh time, in which a value is renewed in the background while it is still used. The start is
   * random for each value, so that processes that started together do not load together. None if omitted.
   */
  readonly aheadSeconds?: number;
  /** Returns a random number from 0 up to, but not including, 1. `Math.random` if omitted. */
  readonly random?: () => number;
  readonly now: () => Date;
  /** Called for every value loaded, including the first. Must not throw. */
  readonly onLoaded?: () => void;
  /** Called for every failure to load, but not for calls that fail in the pause after it. Must not throw. */
  readonly onFailed?: (error: unknown) => void;
  /** Called each time a stale value is used because it cannot be renewed. Must not throw. */
  readonly onStale?: (ageSeconds: number) => void;
}

/** The state of a value, known without a load. @internal */
export interface RefreshState {
  /** Seconds since the value was loaded, or undefined if it never was. */
  readonly ageSeconds: number | undefined;
  /** The error of the last attempt, or undefined if it did not fail. */
  readonly failure: unknown;
  /** Whether there is a value that may be used, even if only until it can be renewed. */
  readonly isUsable: boolean;
}

/** Pause without loads after a failure. It doubles with each further failure, up to the maximum. */
const FIRST_PAUSE_SECONDS = 5;
const LONGEST_PAUSE_SECONDS = 60;

/** After an attempt, {@link RefreshedValue.look} starts no other one for this long. */
const LOOK_AGAIN_SECONDS = 5;

/** @internal */
interface Loaded<T> {
  readonly value: T;
  readonly loadedAt: number;
  /** The age from which the value is renewed while it is still used. */
  readonly renewSeconds: number;
}

/**
 * A cached value: loaded when first needed, renewed when it is old, and kept longer if it cannot be renewed.
 *
 * Concurrent calls share one load. After a failure there is a pause, in which all calls fail at once with that failure. It
 * has no timer: loads start only on calls. The load runs outside any request, because several requests may wait for it.
 *
 * A failed load keeps the cached value. Loads never overlap, so an older value cannot replace a newer one. The age of a
 * value counts from the start of its load, not from the end.
 *
 * @internal
 */
export class RefreshedValue<T> {
  private current: Loaded<T> | undefined;
  private failure: { readonly error: unknown; readonly at: number; readonly count: number } | undefined;
  private pending: Promise<T> | undefined;
  private attemptedAt = -Infinity;
  private readonly seconds: () => number;

  constructor(
    private readonly load: () => Promise<T>,
    private readonly policy: RefreshPolicy,
  ) {
    this.seconds = steadySeconds(policy.now);
  }

  /**
   * Returns the value, and loads it if needed.
   *
   * A value that expires soon is returned, and renewed in the background. A value past its fresh time is renewed first, so
   * that withdrawn data is not used. If that fails, the old value is returned. After a failure, calls do not wait any more:
   * they get the old value at once, and it is renewed in the background.
   *
   * @throws the error of the load, if there is no value that may be used
   */
  async get(): Promise<T> {
    const { current } = this;
    if (!current || !this.isUsable(current)) return this.refresh();
    const age = this.age(current);
    if (age < this.policy.freshSeconds) {
      if (age >= current.renewSeconds) void this.refresh();
      return current.value;
    }
    const isTrying = this.failure !== undefined;
    const renewed = this.refresh();
    if (isTrying) return this.serveStale(current);
    try {
      return await renewed;
    } catch (error) {
      if (this.isUsable(current)) return this.serveStale(current);
      throw error;
    }
  }

  /** Loads the value again. Joins a pending load, and fails at once in the pause after a failure. */
  refresh(): Promise<T> {
    if (this.pending) return this.pending;
    const renewed = this.pause() ?? this.begin();
    // Callers that await it get the failure. The handler here prevents an unhandled rejection if no caller does.
    renewed.catch(() => undefined);
    return renewed;
  }

  /**
   * Loads the value now, even if it is fresh, or in the pause after a failure. Joins a pending load. Does nothing within
   * a few seconds of the last attempt. Reports a failure only to the policy.
   */
  async look(): Promise<void> {
    if (!this.pending && this.seconds() - this.attemptedAt < LOOK_AGAIN_SECONDS) return;
    await (this.pending ?? this.begin()).catch(() => undefined);
  }

  /** Returns the seconds until the next attempt may begin; undefined if the last one did not fail. */
  retryInSeconds(): number | undefined {
    if (!this.failure) return undefined;
    const { at, count } = this.failure;
    const pauseSeconds = Math.min(FIRST_PAUSE_SECONDS * 2 ** (count - 1), LONGEST_PAUSE_SECONDS);
    return Math.max(0, pauseSeconds - (this.seconds() - at));
  }

  /** Returns the value if it is fresh and need not be renewed; undefined if a call of {@link get} is needed. */
  fresh(): T | undefined {
    const { current } = this;
    return current && this.age(current) < current.renewSeconds ? current.value : undefined;
  }

  /** Returns the value if it may be used, fresh or stale, or undefined. Loads nothing. */
  peek(): T | undefined {
    return this.current && this.isUsable(this.current) ? this.current.value : undefined;
  }

  state(): RefreshState {
    const { current, failure } = this;
    return {
      ageSeconds: current && this.age(current),
      failure: failure?.error,
      isUsable: current !== undefined && this.isUsable(current),
    };
  }

  private serveStale(current: Loaded<T>): T {
    this.policy.onStale?.(this.age(current));
    return current.value;
  }

  private begin(): Promise<T> {
    this.pending = outsideRequests(() =>
      this.attempt().finally(() => {
        this.pending = undefined;
      }),
    );
    return this.pending;
  }

  private async attempt(): Promise<T> {
    const loadedAt = this.seconds();
    this.attemptedAt = loadedAt;
    let value: T;
    try {
      value = await this.load();
    } catch (error) {
      this.failure = { error, at: this.seconds(), count: (this.failure?.count ?? 0) + 1 };
      this.policy.onFailed?.(error);
      throw error;
    }
    this.current = { value, loadedAt, renewSeconds: this.drawRenewal() };
    this.failure = undefined;
    this.policy.onLoaded?.();
    return value;
  }

  /** Returns the failure during the pause after it, else undefined. */
  private pause(): Promise<never> | undefined {
    if ((this.retryInSeconds() ?? 0) === 0) return undefined;
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the load failed with
    return Promise.reject(this.failure?.error);
  }

  private drawRenewal(): number {
    const { freshSeconds, aheadSeconds = 0, random = Math.random } = this.policy;
    return aheadSeconds === 0 ? freshSeconds : freshSeconds - random() * aheadSeconds;
  }

  private age({ loadedAt }: Loaded<T>): number {
    return this.seconds() - loadedAt;
  }

  private isUsable(loaded: Loaded<T>): boolean {
    return this.age(loaded) < this.policy.staleSeconds;
  }
}
