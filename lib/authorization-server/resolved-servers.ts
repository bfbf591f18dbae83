import { type ConfigProblem, McpAuthConfigError } from '../errors/config.error.js';
import { AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import type { ResolveAuthorizationServer } from '../options/authorization-server-resolver.js';
import { areReplicasChecked, serverReplicaProblems } from '../options/replica-checks.js';
import { resolveAuthorizationServer } from '../options/resolve-options.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import type { ResolvedAuthorizationServerOptions } from '../options/trusted-authorization-server.interface.js';
import { identifierProblem } from '../options/url-rules.js';
import { isThenable, SharedDeadline } from '../platform/deadline.js';
import { outsideRequests } from '../platform/outside-requests.js';
import type { AuthorizationServer } from './authorization-server.js';
import { type DynamicAuthorizationServers, hasProvenItself } from './dynamic-authorization-servers.js';
import { FetchNeeded } from './fetch-needed.js';
import { hasPrivateHost } from './private-addresses.js';
import { isOwnIssuer } from './private-issuers.js';
import { RecentEntries } from './recent-entries.js';
import { steadySeconds } from './steady-clock.js';
import { WindowLimit } from './window-limit.js';

/** How long an issuer with a server is not asked for again. */
const KNOWN_SECONDS = 600;
/** How long an issuer without one is not asked for again. */
const UNKNOWN_SECONDS = 60;
/** After a failure, how long a known issuer is not asked for again. */
const PAUSE_SECONDS = 1;

/** The longest issuer that is asked for, in characters. */
const MAX_ISSUER_LENGTH = 512;

/** How many issuers of each kind are remembered. */
const MAX_KNOWN = 10_000;
const MAX_UNKNOWN = 10_000;

const WINDOW_SECONDS = 10;
/** How many issuers that are not known are asked for in one window. */
const CALLS_PER_WINDOW = 2000;
/** How many servers are made in one window, each of which is discovered. */
const NEW_SERVERS_PER_WINDOW = 1000;

/** Finds servers that became known at run time, by issuer. @internal */
export interface FindsServers {
  /**
   * Returns the server of an issuer, or undefined if the issuer is not trusted. Returns a promise only if the application is asked.
   *
   * @throws {@link AuthorizationServerUnavailableError} if the application cannot tell now
   * @throws {@link McpAuthConfigError} if it returns wrong options
   */
  find(issuer: string): AuthorizationServer | undefined | Promise<AuthorizationServer | undefined>;
  /** Returns the server that {@link find} found last for an issuer. Asks nothing. */
  known(issuer: string): AuthorizationServer | undefined;
  /** Returns the same without the application: it throws {@link FetchNeeded} where that would have to be asked. */
  offline(): FindsServers;
}

/** What the application said of an issuer that it knows. */
interface Known {
  readonly server: AuthorizationServer;
  /** In seconds, as is each time here. */
  readonly validUntil: number;
  failure?: { readonly error: unknown; readonly until: number };
}

/** What {@link ResolvedServers} needs from the application. @internal */
export interface ResolvedServersContext {
  readonly options: Pick<ResolvedMcpAuthOptions, 'now' | 'verifierTimeoutMs' | 'replicas'>;
  readonly resource: Pick<
    ResolvedProtectedResourceOptions,
    'resource' | 'verifier' | 'privateIssuers' | 'apiKeys'
  >;
  readonly servers: Pick<DynamicAuthorizationServers, 'acquire' | 'find'>;
  readonly resolve: ResolveAuthorizationServer;
}

/**
 * The authorization servers of one resource that its `authorizationServerResolver` knows.
 *
 * Tokens that are not verified choose the issuers, so anyone can invent any number of them. Therefore issuers without a server
 * are remembered apart from the others, and cannot evict them. At most 2,000 issuers that are not known are asked for in 10
 * seconds, and at most 1,000 servers are made. Further requests fail with an outage until the window is over. Requests for known
 * issuers are not affected.
 *
 * @internal
 */
export class ResolvedServers implements FindsServers {
  private readonly seconds: () => number;
  private readonly deadline: SharedDeadline;
  private readonly mayBePrivate: boolean;
  private readonly knownIssuers = new RecentEntries<Known>(MAX_KNOWN, ({ server }) =>
    hasProvenItself(server),
  );
  /** Until when each issuer counts as unknown. */
  private readonly unknownIssuers = new RecentEntries<number>(MAX_UNKNOWN, () => false);
  private readonly pending = new Map<string, Promise<AuthorizationServer | undefined>>();
  private readonly calls: WindowLimit;
  private readonly newServers: WindowLimit;

  constructor(private readonly context: ResolvedServersContext) {
    const { options, resource } = context;
    this.seconds = steadySeconds(options.now);
    this.deadline = new SharedDeadline(options.verifierTimeoutMs);
    this.mayBePrivate = hasPrivateHost(resource.resource);
    this.calls = new WindowLimit(CALLS_PER_WINDOW, WINDOW_SECONDS, this.seconds);
    this.newServers = new WindowLimit(NEW_SERVERS_PER_WINDOW, WINDOW_SECONDS, this.seconds);
  }

  known(issuer: string): AuthorizationServer | undefined {
    return this.knownIssuers.peek(issuer)?.server;
  }

  find(issuer: string): AuthorizationServer | undefined | Promise<AuthorizationServer | undefined> {
    const known = this.knownIssuers.use(issuer);
    const now = this.seconds();
    if (known && now < known.validUntil) return known.server;
    if (known?.failure && now < known.failure.until) throw known.failure.error;
    if (!known && !this.isToBeAskedFor(issuer, now)) return undefined;
    return this.pending.get(issuer) ?? this.ask(issuer, known);
  }

  offline(): FindsServers {
    return {
      find: (issuer) => this.findOffline(issuer),
      known: (issuer) => this.known(issuer),
      offline: () => this.offline(),
    };
  }

  private findOffline(issuer: string): AuthorizationServer | undefined {
    const known = this.knownIssuers.peek(issuer);
    const now = this.seconds();
    if (known && now < known.validUntil) return known.server;
    if (!known && !this.isToBeAskedFor(issuer, now)) return undefined;
    throw new FetchNeeded('"authorizationServerResolver" has not been called for the issuer of the token');
  }

  private isToBeAskedFor(issuer: string, now: number): boolean {
    // Its subjects are others, whatever the application says of it.
    if (isOwnIssuer(issuer, this.context.resource)) return false;
    if (now < (this.unknownIssuers.use(issuer) ?? -Infinity)) return false;
    if (issuer.length > MAX_ISSUER_LENGTH || identifierProblem(issuer) !== undefined) return false;
    return this.mayBePrivate || !hasPrivateHost(issuer);
  }

  private ask(issuer: string, known: Known | undefined): Promise<AuthorizationServer | undefined> {
    if (!known && !this.calls.take()) throw this.unavailable('has been called too often within 10 s');
    const asked = this.resolve(issuer, known).finally(() => this.pending.delete(issuer));
    this.pending.set(issuer, asked);
    return asked;
  }

  private async resolve(issuer: string, known: Known | undefined): Promise<AuthorizationServer | undefined> {
    const askedAt = this.seconds();
    try {
      const given = await this.answerFor(issuer);
      if (given === undefined || given === null) {
        this.knownIssuers.delete(issuer);
        this.unknownIssuers.set(issuer, askedAt + UNKNOWN_SECONDS);
        return undefined;
      }
      const server = this.serverOf(this.checked(given, issuer));
      this.unknownIssuers.delete(issuer);
      this.knownIssuers.set(issuer, { server, validUntil: askedAt + KNOWN_SECONDS });
      return server;
    } catch (error) {
      if (known) known.failure = { error, until: this.seconds() + PAUSE_SECONDS };
      throw error;
    }
  }

  /** Several requests may wait for the answer, so it is given in the async context of none of them. */
  private async answerFor(issuer: string): Promise<unknown> {
    const { resolve, resource } = this.context;
    const explain = (error: unknown): Error => this.unavailable('threw', error);
    let answer: unknown;
    try {
      answer = outsideRequests(() => resolve(issuer, resource.resource));
      if (!isThenable(answer)) return answer;
    } catch (error) {
      throw explain(error);
    }
    return this.deadline.await(answer, {
      onTimeout: (ms) => this.unavailable(`gave no answer within ${String(ms)} ms`),
      onFulfilled: (value) => value,
      onRejected: explain,
    });
  }

  /** Checks what the application returned. A fault of ours, as far as clients are concerned: the answer is 500. */
  private checked(given: unknown, issuer: string): ResolvedAuthorizationServerOptions {
    const { resource, options } = this.context;
    const path = `authorizationServerResolver of ${resource.resource}`;
    const server = resolveAuthorizationServer(given, path, resource.verifier === undefined);
    const replicas = areReplicasChecked(options.replicas) ? serverReplicaProblems(server, path) : [];
    const named = server.issuer ?? server.metadata?.['issuer'];
    const other: ConfigProblem[] = named === issuer ? [] : [{ path, message: OTHER_ISSUER }];
    if (other.length > 0 || replicas.length > 0) throw new McpAuthConfigError([...other, ...replicas]);
    return server;
  }

  private serverOf(options: ResolvedAuthorizationServerOptions): AuthorizationServer {
    const { servers } = this.context;
    const held = servers.find(options);
    if (held) return held;
    if (this.newServers.take()) return servers.acquire(options);
    throw this.unavailable('has named too many new authorization servers within 10 s');
  }

  /** Names the resource and not the issuer, because the token is not verified. */
  private unavailable(what: string, error?: unknown): AuthorizationServerUnavailableError {
    const detail = error instanceof Error ? `: ${error.message}` : '';
    const cause = new Error(`the option "authorizationServerResolver" ${what}${detail}`, { cause: error });
    const { resource } = this.context.resource;
    return new AuthorizationServerUnavailableError(resource, 'authorization server', { cause });
  }
}

const OTHER_ISSUER =
  'returned options with another issuer than the one that it was asked for; return options with exactly that "issuer", or undefined';
