import { TenantRejectedError } from '../errors/rejection.errors.js';
import type { ResolveTenant } from '../options/tenant-resolver.js';
import { dataIdentity } from '../platform/data-identity.js';
import { SharedDeadline } from '../platform/deadline.js';
import { outsideRequests } from '../platform/outside-requests.js';
import { Semaphore } from '../platform/semaphore.js';

/** How long an answer of the resolver is used, in seconds: what belongs to a tenant, that there is none, that the call failed. */
const KNOWN_SECONDS = 60;
const UNKNOWN_SECONDS = 10;
const FAILED_SECONDS = 1;

/** The maximum number of tenants, and of other texts that are remembered apart from them, so that these evict no tenant. @internal */
export const MAX_TENANTS = 10_000;

/** How many calls of the resolver run at once, and how many may wait: for tenants that are known, and as many for all others. */
const MAX_CALLS = 50;
const MAX_WAITING = 10_000;

/** How many calls for new tenants may fail or find none at once, and how many more per second. */
const MAX_MISSES = 1000;
const MISSES_PER_SECOND = 100;

/** A tenant moves to the end of the order of use at most this often, in seconds: to move it with each request costs garbage. */
const USE_SECONDS = 1;

/** A tenant, and what belongs to it. */
interface KnownTenant<T> {
  readonly value: T;
  /** Identifies what the resolver has returned. */
  readonly answer: string | undefined;
  readonly freshUntil: number;
  usedAt: number;
}

/** A text for which there is no tenant, or none that is known now. */
interface Rejected {
  readonly error: unknown;
  readonly until: number;
}

/** What a directory needs to know. @internal */
export interface DirectoryOptions<T> {
  readonly resolve: ResolveTenant;
  /** Makes what belongs to a tenant of what the resolver has returned. What it throws rejects the requests of the tenant. */
  readonly make: (tenant: string, answer: object) => T;
  /** Called if the resolver returns the same again. */
  readonly renew: (value: T) => void;
  /** A monotonic clock. */
  readonly seconds: () => number;
  /** How long a call may wait for its turn, and how long it may take. */
  readonly timeoutMs: number;
}

/**
 * Remembers the tenants of one template, and calls the resolver for those that are not known, with limits: see
 * `TenantResolver`. Only what the resolver knows takes the place of a tenant, so no number of invented tenants evicts one.
 *
 * A tenant whose answer is too old is asked for again while its requests wait. If that fails, they are rejected.
 *
 * @internal
 */
export class TenantDirectory<T> {
  /** In the order of their last use. */
  private readonly known = new Map<string, KnownTenant<T>>();
  private readonly rejected = new Map<string, Rejected>();
  private readonly pending = new Map<string, Promise<T>>();
  /** Two, so that invented tenants do not delay those that are known. */
  private readonly renewals = new Semaphore(MAX_CALLS, MAX_WAITING);
  private readonly firstCalls = new Semaphore(MAX_CALLS, MAX_WAITING);
  private readonly deadline: SharedDeadline;
  /** One for all: there may be many, and a rejection has no details. */
  private readonly unknown = new TenantRejectedError('unknown_tenant');
  private misses = 0;
  private missesAt = 0;

  constructor(private readonly options: DirectoryOptions<T>) {
    this.deadline = new SharedDeadline(options.timeoutMs);
  }

  /** How many tenants are known. */
  get size(): number {
    return this.known.size;
  }

  /**
   * Returns what belongs to a tenant; a promise only if the resolver must be called.
   *
   * @throws {@link TenantRejectedError}, or what `make` throws; the promise rejects with the same
   */
  find(tenant: string): T | Promise<T> {
    const now = this.options.seconds();
    const known = this.known.get(tenant);
    if (known && now < known.freshUntil) return this.use(tenant, known, now);
    const rejected = this.rejected.get(tenant);
    if (rejected && now < rejected.until) throw rejected.error;
    return this.pending.get(tenant) ?? this.begin(tenant, known, now);
  }

  private use(tenant: string, known: KnownTenant<T>, now: number): T {
    if (now - known.usedAt >= USE_SECONDS) {
      known.usedAt = now;
      this.known.delete(tenant);
      this.known.set(tenant, known);
    }
    return known.value;
  }

  /** Requests share the call, so it runs in the async context of none of them. */
  private begin(tenant: string, known: KnownTenant<T> | undefined, now: number): Promise<T> {
    if (!known) this.assertMayMiss(now);
    const pending = outsideRequests(() => this.resolve(tenant, known));
    this.pending.set(tenant, pending);
    return pending;
  }

  private async resolve(tenant: string, known: KnownTenant<T> | undefined): Promise<T> {
    try {
      const answer = await this.ask(tenant, known !== undefined);
      return this.learn(tenant, answer, known);
    } catch (error) {
      this.reject(tenant, error);
      throw error;
    } finally {
      this.pending.delete(tenant);
    }
  }

  private async ask(tenant: string, isKnown: boolean): Promise<object> {
    const calls = isKnown ? this.renewals : this.firstCalls;
    await this.takeTurn(calls);
    try {
      if (isKnown) return await this.call(tenant);
      // Again: others may have failed while this one waited.
      this.assertMayMiss(this.options.seconds());
      return await this.call(tenant).catch((error: unknown) => {
        this.misses += 1;
        throw error;
      });
    } finally {
      calls.release();
    }
  }

  private async takeTurn(calls: Semaphore): Promise<void> {
    try {
      await calls.acquire(calls.isExhausted ? AbortSignal.timeout(this.options.timeoutMs) : NEVER);
    } catch (error) {
      throw unavailable('has too many calls to answer', error);
    }
  }

  private async call(tenant: string): Promise<object> {
    // In a function, so that what a resolver throws at once rejects the promise too.
    const ask = async (): Promise<unknown> => this.options.resolve(tenant);
    const answer = await this.deadline.await(ask(), {
      onTimeout: (ms) => unavailable(`gave no answer within ${String(ms)} ms`),
      onFulfilled: (value) => value,
      onRejected: (error) => unavailable('threw', error),
    });
    if (answer === undefined || answer === null) throw this.unknown;
    return answer;
  }

  /** If the resolver returns the same as before, all stays: cached tokens, and what is fetched from the tenant's servers. */
  private learn(tenant: string, given: object, known: KnownTenant<T> | undefined): T {
    const answer = identityOf(given);
    const isSame = answer !== undefined && answer === known?.answer;
    const value = isSame ? known.value : this.options.make(tenant, given);
    if (isSame) this.options.renew(value);
    const now = this.options.seconds();
    this.known.delete(tenant);
    this.known.set(tenant, { value, answer, freshUntil: now + KNOWN_SECONDS, usedAt: now });
    this.rejected.delete(tenant);
    evictBeyond(this.known);
    return value;
  }

  private reject(tenant: string, error: unknown): void {
    const isUnknown = error === this.unknown;
    if (isUnknown) this.known.delete(tenant);
    const until = this.options.seconds() + (isUnknown ? UNKNOWN_SECONDS : FAILED_SECONDS);
    this.rejected.delete(tenant);
    this.rejected.set(tenant, { error, until });
    evictBeyond(this.rejected);
  }

  private assertMayMiss(now: number): void {
    this.misses = Math.max(0, this.misses - (now - this.missesAt) * MISSES_PER_SECOND);
    this.missesAt = now;
    if (this.misses >= MAX_MISSES) throw unavailable('is not called: too many calls for new tenants failed');
  }
}

const NEVER = new AbortController().signal;

function unavailable(what: string, error?: unknown): TenantRejectedError {
  const detail = error instanceof Error && error.message !== '' ? `: ${error.message}` : '';
  const cause = new Error(`the option "tenants" ${what}${detail}`, { cause: error });
  return new TenantRejectedError('tenant_unavailable', { cause });
}

function evictBeyond(entries: Map<string, unknown>): void {
  if (entries.size <= MAX_TENANTS) return;
  const [oldest = ''] = entries.keys();
  entries.delete(oldest);
}

/** Undefined for an answer that is no data, such as an object that contains itself: it is never the same as before. */
function identityOf(answer: object): string | undefined {
  try {
    return dataIdentity(answer);
  } catch {
    return undefined;
  }
}
