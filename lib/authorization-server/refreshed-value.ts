import { outsideRequests } from '../platform/outside-requests.js';
import { steadySeconds } from './steady-clock.js';

/** How long a loaded value is good, and who wants to know what became of it. @internal */
export interface RefreshPolicy {
  /** Younger than this it is served as it is. */
  readonly freshSeconds: number;
  /** Younger than this it is served when it cannot be renewed. */
  readonly staleSeconds: number;
  /**
   * The last part of its fresh time, in which a value is renewed behind the scenes while it still serves. From when on
   * is drawn for each value, so that processes that started together do not ask together. None where it is left out.
   */
  readonly aheadSeconds?: number;
  /** Draws a number from 0 up to, but not including, 1. `Math.random` where it is left out. */
  readonly random?: () => number;
  readonly now: () => Date;
  /** Told of every value loaded, the first one included. Must not throw. */
  readonly onLoaded?: () => void;
  /** Told of every failure to load, but not of what is rejected in the pause after it. Must not throw. */
  readonly onFailed?: (error: unknown) => void;
  /** Told each time that a value past its age serves because it cannot be renewed. Must not throw. */
  readonly onStale?: (ageSeconds: number) => void;
}

/** What is known of a value without asking for it. @internal */
export interface RefreshState {
  /** Seconds since it was loaded, or undefined when it never was. */
  readonly ageSeconds: number | undefined;
  /** Why the last attempt failed, or undefined when it did not. */
  readonly failure: unknown;
  /** Whether there is a value that may serve, be it only until it can be renewed. */
  readonly isUsable: boolean;
}

/** After a failure nothing is asked for this long; doubled with each further one, up to the maximum. */
const FIRST_PAUSE_SECONDS = 5;
const LONGEST_PAUSE_SECONDS = 60;

/** What was attempted within this time is not looked at again. */
const LOOK_AGAIN_SECONDS = 5;

/** @internal */
interface Loaded<T> {
  readonly value: T;
  readonly loadedAt: number;
  /** The age from which on it is renewed while it still serves. */
  readonly renewSeconds: number;
}

/**
 * A value that comes from elsewhere: loaded when it is first needed, kept, renewed when it grows old, and kept
 * longer when it cannot be renewed. However many ask at once, it is loaded once; after a failure there is a
 * pause in which everybody gets the failure at once. It has no timer: it does something only when asked. The load belongs
 * to no request, as many may wait for it.
 *
 * A load that fails takes nothing away. Loads never overlap, so none can put an older value over a newer one. The
 * age of a value is counted from when it was asked for, not from when it came.
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
   * The value, loaded if need be. One that is soon past its age serves, and is renewed meanwhile. One that is past it is
   * renewed before it is served, so that what was taken back is not served on; where that fails, the old one serves.
   * Once it has failed nobody waits for it any more: the old one serves at once, and is renewed behind the scenes.
   *
   * @throws what the load failed with, when there is no value that may serve
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

  /** Loads the value anew: joins a load that is under way, and fails at once in the pause after a failure. */
  refresh(): Promise<T> {
    if (this.pending) return this.pending;
    const renewed = this.pause() ?? this.begin();
    // Whoever awaits it gets the failure. Where nobody does, the policy was told, and the process must live on.
    renewed.catch(() => undefined);
    return renewed;
  }

  /**
   * Loads the value now, although it is good still or in the pause after a failure; joins a load that is under way. Does
   * nothing within a few seconds of the last attempt. A failure is told to the policy only.
   */
  async look(): Promise<void> {
    if (!this.pending && this.seconds() - this.attemptedAt < LOOK_AGAIN_SECONDS) return;
    await (this.pending ?? this.begin()).catch(() => undefined);
  }

  /** Seconds until the next attempt may begin; undefined where the last one did not fail. */
  retryInSeconds(): number | undefined {
    if (!this.failure) return undefined;
    const { at, count } = this.failure;
    const pauseSeconds = Math.min(FIRST_PAUSE_SECONDS * 2 ** (count - 1), LONGEST_PAUSE_SECONDS);
    return Math.max(0, pauseSeconds - (this.seconds() - at));
  }

  /** The value, where it serves as it is and nothing has to be renewed; undefined where {@link get} has to see to it. */
  fresh(): T | undefined {
    const { current } = this;
    return current && this.age(current) < current.renewSeconds ? current.value : undefined;
  }

  /** What may serve although it cannot be renewed, or undefined. Loads nothing. */
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

  /** The failure, as long as nothing is asked after it. */
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
