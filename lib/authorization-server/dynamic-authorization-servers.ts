import { setMaxListeners } from 'node:events';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { BootstrapDiscoveryError } from '../errors/discovery.error.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { ResolvedAuthorizationServerOptions } from '../options/trusted-authorization-server.interface.js';
import { withDeadline } from '../platform/deadline.js';
import { Semaphore } from '../platform/semaphore.js';
import { AuthorizationServer } from './authorization-server.js';
import { isOutage } from './bootstrap-failures.js';
import { RecentEntries } from './recent-entries.js';
import { resolveMetadata } from './resolve-metadata.js';
import { serverIdentity } from './server-identity.js';

/** The maximum number of servers. */
const MAX_SERVERS = 10_000;

/** How many servers are discovered at the same time. */
const MAX_DISCOVERIES = 100;

/**
 * Holds the authorization servers that become known at run time: one object for each issuer and configuration.
 *
 * A server fetches nothing before its first token. Metadata and keys then work as for configured servers, with two differences:
 * failed loads are not retried in the background, and what the metadata lacks for MCP clients is not logged. Both would grow with
 * the number of servers.
 *
 * At most 10,000 servers are held. The one that was acquired least recently is evicted, and servers that never had metadata
 * before all others. Code that holds an evicted server can still use it, but the server is no longer
 * shared or reported.
 *
 * @internal
 */
@Injectable()
export class DynamicAuthorizationServers implements OnApplicationShutdown {
  private readonly servers = new RecentEntries<AuthorizationServer>(MAX_SERVERS, hasProvenItself);
  private readonly shutdown = new AbortController();
  /** Discoveries that wait do not use up their time limits. Each server has one at most, so the queue needs no limit. */
  private readonly permits = new Semaphore(MAX_DISCOVERIES, Infinity);

  constructor(
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<
      ResolvedMcpAuthOptions,
      'fetch' | 'now' | 'discoveryTimeoutMs' | 'metadataRefreshSeconds'
    >,
    private readonly events: McpAuthEvents,
    private readonly log: RateLimitedLogger,
  ) {
    setMaxListeners(0, this.shutdown.signal);
  }

  /**
   * Returns the server with this configuration, and makes it if there is none. Fetches nothing. Counts the server as used.
   *
   * @param options - of `resolveAuthorizationServer`: the issuer must be known
   */
  acquire(options: ResolvedAuthorizationServerOptions): AuthorizationServer {
    const known = this.find(options);
    if (known) return known;
    const named = withIssuer(options);
    const server = this.make(named);
    this.servers.set(serverIdentity(named), server);
    return server;
  }

  /** Returns the server with this configuration if it is held, and counts it as used. */
  find(options: ResolvedAuthorizationServerOptions): AuthorizationServer | undefined {
    return this.servers.use(serverIdentity(withIssuer(options)));
  }

  /** Returns all servers that are held. */
  all(): Iterable<AuthorizationServer> {
    return this.servers.values();
  }

  get size(): number {
    return this.servers.size;
  }

  /** Ends pending fetches, once all requests are answered, so that they do not keep the process alive. */
  onApplicationShutdown(): void {
    this.shutdown.abort(new Error('The application has ended'));
  }

  private make(options: ResolvedAuthorizationServerOptions): AuthorizationServer {
    let loads = 0;
    const server: AuthorizationServer = new AuthorizationServer(
      options,
      () => this.load(options),
      {
        freshSeconds: this.options.metadataRefreshSeconds,
        now: this.options.now,
        onLoaded: () => {
          if (++loads > 1) this.events.metadataRefreshed(server.issuer);
        },
        onFailed: (error) => {
          this.tellFailure(error, server);
        },
        onStale: (ageSeconds) => {
          this.events.staleUsed(server.issuer, 'metadata', ageSeconds);
        },
      },
      true,
    );
    return server;
  }

  private async load(options: ResolvedAuthorizationServerOptions): Promise<AuthorizationServerMetadata> {
    // At shutdown there is no permit, and the discovery fails at once.
    await this.permits.acquire(this.shutdown.signal).catch(() => undefined);
    try {
      return await this.discover(options);
    } finally {
      this.permits.release();
    }
  }

  private async discover(options: ResolvedAuthorizationServerOptions): Promise<AuthorizationServerMetadata> {
    const { fetch, discoveryTimeoutMs } = this.options;
    const { metadata, attempts } = await withDeadline(discoveryTimeoutMs, this.shutdown, (signal) =>
      resolveMetadata(options, { fetch, signal }),
    );
    if (metadata) return metadata;
    throw new BootstrapDiscoveryError([{ server: String(options.issuer), attempts }]);
  }

  /** Logs an outage as a warning, and a wrong document as an error. */
  private tellFailure(error: unknown, server: AuthorizationServer): void {
    if (this.shutdown.signal.aborted) return;
    const level = isOutage(error) ? 'warn' : 'error';
    const message = error instanceof Error ? error.message : String(error);
    this.log.write(level, 'the metadata of authorization servers that became known at run time', message);
    this.events.discoveryFailed(server.issuer, 'metadata', error);
  }
}

/**
 * Whether a server has published metadata once, or is configured with what needs none: an invented issuer is neither.
 *
 * @internal
 */
export function hasProvenItself(server: AuthorizationServer): boolean {
  const { jwks, introspection } = server.options;
  return server.peek() !== undefined || jwks !== undefined || introspection?.endpoint !== undefined;
}

/** Configured metadata names its issuer itself. */
function withIssuer(options: ResolvedAuthorizationServerOptions): ResolvedAuthorizationServerOptions {
  const issuer = options.issuer ?? (options.metadata as { issuer?: string } | undefined)?.issuer;
  return Object.freeze({ ...options, issuer });
}
