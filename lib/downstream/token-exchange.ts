import { hash } from 'node:crypto';
import type { ClientAuth } from 'oauth4webapi';
import { RefreshedValue } from '../authorization-server/refreshed-value.js';
import { DownstreamTokenError } from '../errors/downstream-token.error.js';
import { AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import { traced, TRACES } from '../events/traces.js';
import type {
  ResolvedTokenExchangeOptions,
  TrustedAuthorizationServer,
} from '../options/trusted-authorization-server.interface.js';
import { untilAborted, withDeadline } from '../platform/deadline.js';
import { outsideRequests } from '../platform/outside-requests.js';
import { QueueFullError, Semaphore } from '../platform/semaphore.js';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { clientAuthentication } from '../token/introspection-client.js';
import { toIntrospectionFailure } from '../token/introspection-failure.js';
import { type CheckedTarget, checkTarget, type DownstreamTarget, targetKey } from './downstream-target.js';
import { type DownstreamToken, IssuedToken } from './downstream-token.js';
import { DownstreamTokenCache } from './downstream-token.cache.js';
import { readExchangeAnswer } from './exchange-answer.js';
import { ExchangeOutage } from './exchange-failures.js';
import { EXCHANGE_PRESETS, type ExchangePreset } from './exchange-presets.js';
import { requestExchange } from './exchange-request.js';

/** Dependencies and callbacks of token exchange. @internal */
export interface ExchangeContext {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Ends all requests together. */
  readonly shutdown: AbortSignal;
  /** Called once when the server starts to reject our own credentials, with its error code. */
  readonly onCredentialsRejected: (oauthError: string) => void;
}

/** The caller that a token is exchanged for. @internal */
export type ExchangingCaller = Pick<AuthInfo, 'token' | 'expiresAt'>;

/** The most requests at once, and the most that wait for their turn. */
const MAX_REQUESTS = 100;
const MAX_WAITING = 1000;

/** Rejected credentials older than this are loaded again, as they may have changed. */
const CREDENTIALS_COOLDOWN_SECONDS = 30;

/** The codes that are about this client, and not about the caller's token. */
const OF_CLIENT: readonly string[] = ['invalid_client', 'unauthorized_client'];

/**
 * Exchanges tokens at one authorization server, as one client.
 *
 * Calls for the same token and target at the same time share one request. Tokens are found by the SHA-256 hash of the caller's
 * token and by the target, so neither another caller nor another target ever gets them. Failures are never cached.
 *
 * @internal
 */
export class TokenExchange {
  private readonly pending = new Map<string, Promise<DownstreamToken>>();
  private readonly cache: DownstreamTokenCache;
  private readonly credentials: RefreshedValue<ClientAuth>;
  private readonly semaphore = new Semaphore(MAX_REQUESTS, MAX_WAITING);
  private readonly preset: ExchangePreset;
  private areCredentialsRejected = false;

  constructor(
    private readonly server: TrustedAuthorizationServer,
    private readonly options: ResolvedTokenExchangeOptions,
    private readonly context: ExchangeContext,
  ) {
    this.preset = EXCHANGE_PRESETS[options.preset];
    this.cache = new DownstreamTokenCache(options.maxCachedTokens);
    this.credentials = new RefreshedValue(() => clientAuthentication(options), {
      freshSeconds: Infinity,
      staleSeconds: Infinity,
      now: context.now,
    });
  }

  /** @throws `TypeError` if the target is not valid for this server */
  check(target: DownstreamTarget): CheckedTarget {
    return checkTarget(target, this.preset);
  }

  /** Removes the cached tokens of a caller whose token was revoked. */
  forget({ token }: ExchangingCaller): void {
    this.cache.forget(hashOf(token));
  }

  /**
   * Returns a token for a target; a cached one if there is one.
   *
   * @throws {@link DownstreamTokenError} if the server rejects the exchange or answers wrongly;
   * {@link AuthorizationServerUnavailableError} if it does not answer
   */
  async token(caller: ExchangingCaller, target: CheckedTarget): Promise<DownstreamToken> {
    const key = `${hashOf(caller.token)} ${hashOf(targetKey(target))}`;
    const known = this.cache.get(key, this.seconds());
    return known ?? this.pending.get(key) ?? outsideRequests(() => this.begin(key, caller, target));
  }

  private begin(key: string, caller: ExchangingCaller, target: CheckedTarget): Promise<DownstreamToken> {
    const since = this.seconds();
    const exchanged = this.traced(caller.token, target, since)
      .then((token) => {
        this.cache.set(key, token, since, caller.expiresAt);
        return token;
      })
      .finally(() => this.pending.delete(key));
    this.pending.set(key, exchanged);
    return exchanged;
  }

  private traced(token: string, target: CheckedTarget, since: number): Promise<DownstreamToken> {
    if (!TRACES.exchange.hasSubscribers) return this.attempt(token, target, since);
    const work = (): Promise<DownstreamToken> => this.attempt(token, target, since);
    return traced(TRACES.exchange, { issuer: this.server.issuer }, work, [token]);
  }

  private attempt(token: string, target: CheckedTarget, since: number): Promise<DownstreamToken> {
    const hasToWait = this.semaphore.isExhausted;
    const until = { signal: this.context.shutdown };
    return withDeadline(this.options.timeoutMs, until, async (signal) => {
      try {
        const issued = await this.inTurn(token, target, since, signal);
        this.areCredentialsRejected = false;
        return issued;
      } catch (error) {
        if (error instanceof AuthorizationServerUnavailableError) throw error;
        if (error instanceof DownstreamTokenError) throw this.noted(error);
        const cause = new Error(signal.aborted ? lateness(hasToWait) : outageOf(error));
        throw new AuthorizationServerUnavailableError(this.server.issuer, 'downstream token', { cause });
      }
    });
  }

  private async inTurn(
    token: string,
    target: CheckedTarget,
    since: number,
    signal: AbortSignal,
  ): Promise<DownstreamToken> {
    await this.semaphore.acquire(signal);
    try {
      return await untilAborted(signal, this.exchange(token, target, since, signal));
    } finally {
      this.semaphore.release();
    }
  }

  private async exchange(
    token: string,
    target: CheckedTarget,
    since: number,
    signal: AbortSignal,
  ): Promise<DownstreamToken> {
    const { server, preset, context } = this;
    const common = { issuer: server.issuer, clientId: this.options.clientId, preset };
    const answer = await requestExchange(token, target, {
      ...common,
      ...{ fetch: context.fetch, now: context.now, signal },
      // Metadata without this endpoint is rejected when it is loaded.
      endpoint: (await server.metadata()).token_endpoint ?? '',
      authentication: await this.credentials.get(),
    });
    const { accessToken, scopes, expiresInSeconds } = await readExchangeAnswer(answer, {
      ...common,
      subjectToken: token,
    });
    const expiresAt = expiresInSeconds === undefined ? undefined : Math.floor(since) + expiresInSeconds;
    return new IssuedToken(accessToken, scopes ?? target.scopes, expiresAt);
  }

  private noted(error: DownstreamTokenError): DownstreamTokenError {
    const { oauthError = '' } = error;
    if (!OF_CLIENT.includes(oauthError)) return error;
    if (!this.areCredentialsRejected) this.context.onCredentialsRejected(oauthError);
    this.areCredentialsRejected = true;
    const { ageSeconds = 0 } = this.credentials.state();
    if (ageSeconds >= CREDENTIALS_COOLDOWN_SECONDS) this.credentials.refresh().catch(() => undefined);
    return error;
  }

  private seconds(): number {
    return this.context.now().getTime() / 1000;
  }
}

function hashOf(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** Describes why the server did not answer, without anything of the request. */
function outageOf(error: unknown): string {
  if (error instanceof QueueFullError) return `${String(MAX_WAITING)} others wait for their turn already`;
  return error instanceof ExchangeOutage ? error.message : toIntrospectionFailure(error).message;
}

function lateness(hadToWait: boolean): string {
  return `no complete answer within the time limit${hadToWait ? ', part of which it waited for its turn' : ''}`;
}
