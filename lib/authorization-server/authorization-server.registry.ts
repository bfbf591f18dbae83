import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { McpAuthConfigError } from '../errors/config.error.js';
import { BootstrapDiscoveryError } from '../errors/discovery.error.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import type { ResolvedAuthorizationServerOptions } from '../options/trusted-authorization-server.interface.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { withDeadline } from '../platform/deadline.js';
import { AuthorizationServer } from './authorization-server.js';
import { BackgroundRetry } from './background-retry.js';
import { isOutage, mergeFailures } from './bootstrap-failures.js';
import { mcpComplianceFindings, pageOf, unlistedResources } from './mcp-compliance.js';
import { assertPrivateIssuers } from './private-issuers.js';
import { type Resolution, resolveMetadata } from './resolve-metadata.js';
import { OperatorLogger } from '../events/operator.logger.js';

/**
 * Holds every configured authorization server, resolves them at bootstrap, and returns them by resource and issuer.
 * Servers with the same configuration are one object, even if several resources trust them.
 *
 * @internal
 */
@Injectable()
export class AuthorizationServerRegistry implements OnApplicationShutdown {
  private readonly logger = new OperatorLogger();
  private readonly trusted = new Map<ResolvedProtectedResourceOptions, readonly AuthorizationServer[]>();
  private readonly byIssuer = new Map<
    ResolvedProtectedResourceOptions,
    ReadonlyMap<string, AuthorizationServer>
  >();
  private readonly shutdown = new AbortController();
  private readonly warned = new Set<ResolvedAuthorizationServerOptions>();
  /** Ends the requests of the bootstrap. Undefined after it: then each request has only its own limit. */
  private bootstrapLimit: AbortSignal | undefined;

  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    private readonly events: McpAuthEvents,
    private readonly retry: BackgroundRetry,
  ) {
    /** By their whole configuration. Not kept: its text is longer than all else that is known of a server (row "heap of each"). */
    const shared = new Map<string, AuthorizationServer>();
    for (const resource of options.resources) {
      const servers = resource.authorizationServers.map((server) => {
        const key = sharingKey(server);
        const known = key === undefined ? undefined : shared.get(key);
        if (known) return known;
        const made = this.make(server, resource);
        if (key !== undefined) shared.set(key, made);
        return made;
      });
      this.trusted.set(resource, servers);
    }
  }

  /**
   * Fetches the metadata of all authorization servers in parallel. Lazy discovery skips servers with a known issuer.
   *
   * @param isServing - false for an application without HTTP. Then only configured metadata is read. Tokens of servers
   * whose issuer is not configured are rejected, with a warning.
   * @throws {@link BootstrapDiscoveryError} naming each server that failed and each URL tried, unless failures
   * are to be retried. Invalid configured metadata always fails startup, as a retry cannot help.
   */
  async discover(isServing = true): Promise<void> {
    const isLazy = this.options.discovery === 'lazy';
    const wanted = isLazy ? this.all().filter(({ isNamed }) => !isNamed) : this.all();
    await this.resolve(isServing ? wanted : wanted.filter(({ options }) => options.metadata));
    const named = this.all().filter(({ isNamed }) => isNamed);
    assertPrivateIssuers(
      this.options.resources,
      named.map(({ issuer }) => issuer),
    );
    for (const resource of this.options.resources) this.byIssuer.set(resource, this.index(resource));
    for (const { options } of this.all().filter(({ isNamed }) => !isNamed)) {
      const server = options.metadataUrl ?? 'an authorization server';
      this.logger.warn(
        `${server} is not discovered, as the application has no HTTP server; its tokens are rejected until you configure its "issuer"`,
      );
    }
  }

  /** Ends pending fetches, once all requests are answered, so that they do not keep the process alive. */
  onApplicationShutdown(): void {
    this.shutdown.abort(new Error('The application has ended'));
  }

  /** Returns the authorization servers of a resource by issuer, in the configured order. Call after {@link discover}. */
  of(resource: ResolvedProtectedResourceOptions): ReadonlyMap<string, AuthorizationServer> {
    return this.byIssuer.get(resource) ?? new Map();
  }

  /** Returns every authorization server once. */
  all(): readonly AuthorizationServer[] {
    return [...new Set([...this.trusted.values()].flat())];
  }

  private async resolve(servers: readonly AuthorizationServer[]): Promise<void> {
    const until = { signal: this.shutdown.signal, keepsAlive: true };
    const settled = await withDeadline(this.options.discoveryTimeoutMs, until, (signal) => {
      this.bootstrapLimit = signal;
      return Promise.allSettled(servers.map((server) => server.refresh()));
    });
    this.bootstrapLimit = undefined;
    const reasons = settled.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    if (reasons.length > 0) this.rejectOrRetry(reasons);
  }

  private rejectOrRetry(reasons: readonly unknown[]): void {
    const error = mergeFailures(reasons);
    const isAnyNameless = this.all().some(({ isNamed }) => !isNamed);
    const canRetry = !isAnyNameless && isOutage(error);
    if (this.options.onDiscoveryFailure === 'fail' && canRetry)
      throw new BootstrapDiscoveryError(error.failures, RETRY_ADVICE);
    if (this.options.onDiscoveryFailure === 'fail' || isAnyNameless) throw error;
    this.logger.error(
      `${error.message}\nThe application starts; it asks these servers again until they answer.`,
    );
  }

  private index(resource: ResolvedProtectedResourceOptions): ReadonlyMap<string, AuthorizationServer> {
    const index = new Map<string, AuthorizationServer>();
    for (const server of this.trusted.get(resource) ?? []) {
      // Its issuer is unknown: without HTTP its metadata is not fetched.
      if (!server.isNamed) continue;
      const { issuer } = server;
      if (index.has(issuer)) {
        const path = `resource ${resource.resource}`;
        throw new McpAuthConfigError([
          { path, message: `names the issuer ${issuer} twice; keep one of them` },
        ]);
      }
      index.set(issuer, server);
    }
    return index;
  }

  private make(
    options: ResolvedAuthorizationServerOptions,
    { resource }: ResolvedProtectedResourceOptions,
  ): AuthorizationServer {
    const server: AuthorizationServer = new AuthorizationServer(options, () => this.load(options, resource), {
      freshSeconds: this.options.metadataRefreshSeconds,
      now: this.options.now,
      onLoaded: () => {
        if (!this.bootstrapLimit) this.events.metadataRefreshed(server.issuer);
      },
      onFailed: (error) => {
        this.tellFailure(error, server);
        this.retry.later(server);
      },
      onStale: (ageSeconds) => {
        this.events.staleUsed(server.issuer, 'metadata', ageSeconds);
      },
    });
    return server;
  }

  private async load(
    options: ResolvedAuthorizationServerOptions,
    resource: string,
  ): Promise<AuthorizationServerMetadata> {
    const { fetch, discoveryTimeoutMs } = this.options;
    const resolve = (signal: AbortSignal): Promise<Resolution> => resolveMetadata(options, { fetch, signal });
    const { metadata, attempts } = await (this.bootstrapLimit
      ? resolve(this.bootstrapLimit)
      : withDeadline(discoveryTimeoutMs, this.shutdown, resolve));
    if (!metadata) throw new BootstrapDiscoveryError([{ server: nameOf(options, resource), attempts }]);
    // Warns only once: a renewed document has the same findings.
    if (options.mcpCompliance === 'warn' && !this.warned.has(options)) {
      this.warned.add(options);
      this.warnOf(metadata, options);
    }
    return metadata;
  }

  private warnOf(metadata: AuthorizationServerMetadata, options: ResolvedAuthorizationServerOptions): void {
    for (const { code, message } of mcpComplianceFindings(metadata)) {
      this.logger.warn(`${metadata.issuer}: ${message} [${code}]; see ${pageOf(code)}`);
    }
    const trusting = [...this.trusted].filter(([, servers]) =>
      servers.some((one) => one.options === options),
    );
    for (const resource of unlistedResources(
      metadata,
      trusting.map(([{ resource: identifier }]) => identifier),
    )) {
      this.logger.warn(`${metadata.issuer} does not list ${resource} among its "protected_resources"`);
    }
  }

  /** Logs an outage as a warning, and a wrong document as an error. The bootstrap reports its own failures. */
  private tellFailure(error: unknown, server: AuthorizationServer): void {
    if (this.bootstrapLimit || this.shutdown.signal.aborted) return;
    if (isOutage(error)) this.logger.warn(error.message);
    else this.logger.error(error instanceof Error ? error.message : String(error));
    this.events.discoveryFailed(server.issuer, 'metadata', error);
  }
}

function nameOf({ issuer, metadataUrl }: ResolvedAuthorizationServerOptions, resource: string): string {
  return issuer ?? metadataUrl ?? `the metadata given by hand for ${resource}`;
}

const RETRY_ADVICE =
  'To start while an authorization server is down, set the option "onDiscoveryFailure" to "retry".';

/** Returns a key that is equal for servers configured alike. Servers with functions or objects are not shared. */
function sharingKey(server: ResolvedAuthorizationServerOptions): string | undefined {
  const { transpileData, metadata, jwks, introspection, tokenExchange, claimNames, oneTimeTokens } = server;
  const own = [transpileData, metadata, jwks, introspection, tokenExchange, oneTimeTokens?.replayStore];
  const isOwn = own.some((option) => option !== undefined);
  return isOwn || typeof claimNames.scopes === 'function' ? undefined : JSON.stringify(server);
}
