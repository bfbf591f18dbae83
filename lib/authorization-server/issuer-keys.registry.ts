import { setMaxListeners } from 'node:events';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { OperatorLogger } from '../events/operator.logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { AuthorizationServer } from './authorization-server.js';
import { BackgroundRetry } from './background-retry.js';
import { IssuerKeys } from './issuer-keys.js';
import { usesKeys } from './resolve-metadata.js';

const OF_DYNAMIC = 'keys of authorization servers that became known at run time';

/**
 * Holds the keys of every authorization server, for access tokens and for signed introspection responses.
 * Writes fetches and failures to the log and to events.
 *
 * @internal
 */
@Injectable()
export class IssuerKeysRegistry implements OnApplicationShutdown {
  private readonly logger = new OperatorLogger();
  /** There may be any number of servers that became known at run time. */
  private readonly ofDynamic: RateLimitedLogger;
  /** Weak, because servers that became known at run time are evicted. */
  private readonly known = new WeakMap<TrustedAuthorizationServer, IssuerKeys>();
  private readonly shutdown = new AbortController();

  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    private readonly events: McpAuthEvents,
    private readonly retry: BackgroundRetry,
  ) {
    this.ofDynamic = new RateLimitedLogger(options);
    setMaxListeners(0, this.shutdown.signal);
  }

  /** Returns the keys of a server if tokens need them and they are fetched; undefined if they are configured. */
  fetchedOf(server: TrustedAuthorizationServer): IssuerKeys | undefined {
    return usesKeys(server.options) && typeof server.options.jwks !== 'object' ? this.of(server) : undefined;
  }

  /** Returns the keys of a server if a token has needed them. Makes nothing. */
  peek(server: TrustedAuthorizationServer): IssuerKeys | undefined {
    return this.known.get(server);
  }

  of(server: TrustedAuthorizationServer): IssuerKeys {
    const known = this.known.get(server);
    if (known) return known;
    const keys = this.make(server);
    this.known.set(server, keys);
    return keys;
  }

  /** Ends pending fetches, once all requests are answered, so that they do not keep the process alive. */
  onApplicationShutdown(): void {
    this.shutdown.abort();
  }

  private make(server: TrustedAuthorizationServer): IssuerKeys {
    const { fetch, now } = this.options;
    const isDynamic = server instanceof AuthorizationServer && server.isDynamic;
    const keys: IssuerKeys = new IssuerKeys(server, {
      fetch,
      now,
      signal: this.shutdown.signal,
      onSkipped: (count) => {
        const what = count === 1 ? '1 key that cannot be used' : `${String(count)} keys that cannot be used`;
        const line = `${server.issuer} publishes ${what}; left out`;
        if (isDynamic) this.ofDynamic.write('error', OF_DYNAMIC, line);
        else this.logger.error(line);
      },
      onRenewed: () => {
        this.logger.debug(`The keys of ${server.issuer} were renewed`);
        this.events.keysRefreshed(server.issuer);
      },
      onFailed: (error) => {
        if (this.shutdown.signal.aborted) return;
        const { message } = error as Error; // keys are fetched by functions of ours, which throw errors
        const line = `Could not fetch the keys of ${server.issuer}: ${message}`;
        if (isDynamic) this.ofDynamic.write('warn', OF_DYNAMIC, line);
        else this.logger.warn(line);
        this.events.discoveryFailed(server.issuer, 'keys', error);
        if (!isDynamic) this.retry.later(keys);
      },
      onStale: (ageSeconds) => {
        this.events.staleUsed(server.issuer, 'keys', ageSeconds);
      },
    });
    return keys;
  }
}
