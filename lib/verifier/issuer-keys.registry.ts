import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AuthorizationServer, type TrustedAuthorizationServer } from '../discovery/authorization-server.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { IssuerKeys } from './issuer-keys.js';
import { OperatorLogger } from '../events/operator.logger.js';

/**
 * The keys of every authorization server, once for all that are verified with them: access tokens and signed
 * introspection answers. Tells log, events and diagnostics what becomes of them.
 *
 * @internal
 */
@Injectable()
export class IssuerKeysRegistry implements OnApplicationShutdown {
  private readonly logger = new OperatorLogger();
  private readonly known = new Map<TrustedAuthorizationServer, IssuerKeys>();
  private readonly shutdown = new AbortController();

  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    private readonly events: McpAuthEvents = new McpAuthEvents(options),
  ) {}

  of(server: TrustedAuthorizationServer): IssuerKeys {
    const known = this.known.get(server);
    if (known) return known;
    const keys = this.make(server);
    this.known.set(server, keys);
    if (server instanceof AuthorizationServer) server.watchKeys(() => keys.state());
    return keys;
  }

  /** Ends fetches that are under way, once all requests are answered: nothing keeps the process alive. */
  onApplicationShutdown(): void {
    this.shutdown.abort();
  }

  private make(server: TrustedAuthorizationServer): IssuerKeys {
    const { fetch, now } = this.options;
    return new IssuerKeys(server, {
      fetch,
      now,
      signal: this.shutdown.signal,
      onSkipped: (count) => {
        const what = count === 1 ? '1 key that cannot be used' : `${String(count)} keys that cannot be used`;
        this.logger.error(`${server.issuer} publishes ${what}; left out`);
      },
      onRenewed: () => {
        this.logger.debug(`The keys of ${server.issuer} were renewed`);
        this.events.keysRefreshed(server.issuer);
      },
      onNotRenewed: (error) => {
        if (this.shutdown.signal.aborted) return;
        const { message } = error as Error; // keys are fetched by functions of ours, which throw errors
        this.logger.warn(`The keys of ${server.issuer} were not renewed: ${message}`);
        this.events.discoveryFailed(server.issuer, 'keys', error);
      },
      onStale: (ageSeconds) => {
        this.events.staleUsed(server.issuer, 'keys', ageSeconds);
      },
    });
  }
}
