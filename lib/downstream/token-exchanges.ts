import { setMaxListeners } from 'node:events';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { OperatorLogger } from '../events/operator.logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { assertSigningKeys } from '../token/signing-keys.js';
import { TokenExchange } from './token-exchange.js';

/**
 * The token exchange of each authorization server, made when it is first used.
 *
 * @internal
 */
@Injectable()
export class TokenExchanges implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new OperatorLogger();
  private readonly exchanges = new WeakMap<TrustedAuthorizationServer, TokenExchange>();
  private readonly shutdown = new AbortController();

  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions) {
    // Each pending request listens.
    setMaxListeners(0, this.shutdown.signal);
  }

  /** @throws {@link McpAuthConfigError} for keys that cannot sign a request */
  async onModuleInit(): Promise<void> {
    await assertSigningKeys(this.options.resources, 'tokenExchange');
  }

  /** Ends pending requests, so that they do not keep the process alive. */
  onApplicationShutdown(): void {
    this.shutdown.abort(new Error('The application has ended'));
  }

  /** Returns the exchange at a server; undefined if the server has no option `tokenExchange`. */
  at(server: TrustedAuthorizationServer): TokenExchange | undefined {
    const { tokenExchange } = server.options;
    const known = this.exchanges.get(server);
    if (known || !tokenExchange) return known;
    const { fetch, now } = this.options;
    const { clientId, authMethod } = tokenExchange;
    const exchange = new TokenExchange(server, tokenExchange, {
      ...{ fetch, now, shutdown: this.shutdown.signal },
      onCredentialsRejected: (oauthError) => {
        this.logger.error(
          `${server.issuer} answers ${oauthError} to token exchange by the client "${clientId}" with ${authMethod}; ` +
            'check the option "tokenExchange", and at the server whether this client may exchange tokens',
        );
      },
    });
    this.exchanges.set(server, exchange);
    return exchange;
  }
}
