import { hash } from 'node:crypto';
import type { ClientAuth } from 'oauth4webapi';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import type { IssuerKeys } from '../authorization-server/issuer-keys.js';
import { RefreshedValue } from '../authorization-server/refreshed-value.js';
import { AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import { traced, TRACES } from '../events/traces.js';
import type { ResolvedIntrospectionOptions } from '../options/trusted-authorization-server.interface.js';
import type { CacheReport } from './cache-report.interface.js';
import { untilAborted, withDeadline } from '../platform/deadline.js';
import { outsideRequests } from '../platform/outside-requests.js';
import { QueueFullError, Semaphore } from '../platform/semaphore.js';
import { IntrospectionCache } from './introspection-cache.js';
import { clientAuthentication } from './introspection-client.js';
import { IntrospectionFailure, toIntrospectionFailure } from './introspection-failure.js';
import { requestIntrospection } from './introspection-request.js';
import { type IntrospectionAnswer, readAnswer, readSignedAnswer } from './introspection-response.js';

/** Dependencies and callbacks of introspection. @internal */
export interface IntrospectionContext {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  readonly clockToleranceSeconds: number;
  /** The server's keys, if responses must be signed. */
  readonly keys: IssuerKeys | undefined;
  /** Ends all requests together. */
  readonly shutdown: AbortSignal;
  /** Called once when the server starts to reject our own credentials, with the status of its response. */
  readonly onCredentialsRejected: (status: number) => void;
}

/** What introspection at one server does at the moment. @internal */
export interface IntrospectionState {
  readonly running: number;
  readonly waiting: number;
  readonly cache: CacheReport;
}

/** The state of a cache that is off. @internal */
export const NO_CACHE: CacheReport = Object.freeze({ entries: 0, maxEntries: 0, hits: 0, misses: 0 });

/** Rejected credentials older than this are loaded again, as they may have changed. */
const CREDENTIALS_COOLDOWN_SECONDS = 30;

/**
 * Introspects tokens at one authorization server, as one client.
 *
 * Requests with the same token at the same time share one introspection. At most `maxConcurrentRequests` run at once, and
 * at most `maxQueuedRequests` wait. Responses are cached only as configured. Failures and tokens are never cached.
 *
 * @internal
 */
export class IntrospectionEndpoint {
  private readonly pending = new Map<string, Promise<IntrospectionAnswer>>();
  private readonly cache: IntrospectionCache | undefined;
  private readonly credentials: RefreshedValue<ClientAuth>;
  private readonly semaphore: Semaphore;
  private areCredentialsRejected = false;

  constructor(
    private readonly server: TrustedAuthorizationServer,
    private readonly options: ResolvedIntrospectionOptions,
    private readonly context: IntrospectionContext,
  ) {
    this.semaphore = new Semaphore(options.maxConcurrentRequests, options.maxQueuedRequests);
    this.cache = options.cache && new IntrospectionCache(options.cache);
    this.credentials = new RefreshedValue(() => clientAuthentication(options), {
      freshSeconds: Infinity,
      staleSeconds: Infinity,
      now: context.now,
    });
  }

  /** Returns how many requests run and wait, and the state of the cache. */
  state(): IntrospectionState {
    const { semaphore, cache, options } = this;
    const running = options.maxConcurrentRequests - semaphore.free;
    return { running, waiting: semaphore.queued, cache: cache?.state() ?? NO_CACHE };
  }

  /** Returns the cached response about a token, if any. Asks nobody, counts nothing. */
  peek(token: string): IntrospectionAnswer | undefined {
    return this.cache?.peek(keyOf(token), this.seconds());
  }

  /**
   * Returns the server's response about a token; a cached one at once.
   *
   * The promise rejects with {@link AuthorizationServerUnavailableError} if there is no usable response.
   */
  ask(token: string): IntrospectionAnswer | Promise<IntrospectionAnswer> {
    const key = keyOf(token);
    const known = this.cache?.get(key, this.seconds());
    if (known !== undefined) return known;
    return this.pending.get(key) ?? outsideRequests(() => this.begin(key, token));
  }

  private begin(key: string, token: string): Promise<IntrospectionAnswer> {
    const since = this.seconds();
    const asked = this.traced(token)
      .then((answer) => {
        this.cache?.set(key, answer, since);
        return answer;
      })
      .finally(() => this.pending.delete(key));
    this.pending.set(key, asked);
    return asked;
  }

  private traced(token: string): Promise<IntrospectionAnswer> {
    if (!TRACES.introspection.hasSubscribers) return this.attempt(token);
    return traced(TRACES.introspection, { issuer: this.server.issuer }, () => this.attempt(token), [token]);
  }

  private attempt(token: string): Promise<IntrospectionAnswer> {
    const hasToWait = this.semaphore.isExhausted;
    const until = { signal: this.context.shutdown };
    return withDeadline(this.options.timeoutMs, until, async (signal) => {
      try {
        const answer = await this.inTurn(token, signal);
        this.areCredentialsRejected = false;
        return answer;
      } catch (error) {
        if (error instanceof AuthorizationServerUnavailableError) throw error;
        const cause = signal.aborted ? lateFailure(hasToWait) : this.failureOf(error);
        if (cause.status === 401 || cause.status === 403) this.noteRejectedCredentials(cause.status);
        throw new AuthorizationServerUnavailableError(this.server.issuer, 'introspection', { cause });
      }
    });
  }

  private async inTurn(token: string, signal: AbortSignal): Promise<IntrospectionAnswer> {
    await this.semaphore.acquire(signal);
    try {
      return await untilAborted(signal, this.exchange(token, signal));
    } finally {
      this.semaphore.release();
    }
  }

  private async exchange(token: string, signal: AbortSignal): Promise<IntrospectionAnswer> {
    const { server } = this;
    const { clientId, endpoint, requireSignedResponse: wantsJwt } = this.options;
    const { fetch, now, keys, clockToleranceSeconds: toleranceSeconds } = this.context;
    const text = await requestIntrospection(token, {
      issuer: server.issuer,
      // Metadata without this endpoint is rejected when it is loaded.
      endpoint: endpoint ?? (await server.metadata()).introspection_endpoint ?? '',
      clientId,
      authentication: await this.credentials.get(),
      wantsJwt,
      fetch,
      now,
      signal,
    });
    if (text === undefined) return null;
    if (!keys) return readAnswer(text);
    const expectation = {
      algorithms: server.options.algorithms,
      issuer: server.issuer,
      clientId,
      now: now(),
      toleranceSeconds,
    };
    return keys.verify((getKey) => readSignedAnswer(text, getKey, expectation));
  }

  private failureOf(error: unknown): IntrospectionFailure {
    if (!(error instanceof QueueFullError)) return toIntrospectionFailure(error);
    const count = String(this.options.maxQueuedRequests);
    return new IntrospectionFailure(`${count} others wait for their turn already ("maxQueuedRequests")`);
  }

  private noteRejectedCredentials(status: number): void {
    if (!this.areCredentialsRejected) this.context.onCredentialsRejected(status);
    this.areCredentialsRejected = true;
    const { ageSeconds } = this.credentials.state();
    if (ageSeconds !== undefined && ageSeconds >= CREDENTIALS_COOLDOWN_SECONDS)
      this.credentials.refresh().catch(() => undefined); // the old ones are rejected anyhow
  }

  private seconds(): number {
    return this.context.now().getTime() / 1000;
  }
}

/** Returns the key of a token. Each cache is only for one server and one client, so the token alone is the key. */
function keyOf(token: string): string {
  return hash('sha256', token, 'base64url');
}

function lateFailure(hadToWait: boolean): IntrospectionFailure {
  const wait = hadToWait ? ', part of which it waited for its turn ("maxConcurrentRequests")' : '';
  return new IntrospectionFailure(`no complete answer within the time limit${wait}`);
}
