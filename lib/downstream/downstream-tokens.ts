import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type ConfigProblem, McpAuthConfigError } from '../errors/config.error.js';
import { DownstreamTokenError } from '../errors/downstream-token.error.js';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import { OperatorLogger } from '../events/operator.logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { type Authentication, RequestContext } from '../request/request-context.js';
import { RevocationCheck } from '../request/revocation.check.js';
import { privateKeyJwt } from '../token/introspection-client.js';
import { toIntrospectionFailure } from '../token/introspection-failure.js';
import type { DownstreamTarget } from './downstream-target.js';
import type { DownstreamToken } from './downstream-token.js';
import { TokenExchange } from './token-exchange.js';

/**
 * Access tokens for other services, in the name of the caller of this request.
 *
 * The caller's own token must not be sent on: it is for this resource, and a service that accepts it accepts tokens that were
 * not made for it. So the authorization server that issued it exchanges it for a token that is for the other service. The
 * new token is for the same subject. Which client acts for it, the server says in the claim `act`.
 *
 * Calls for the same caller and target share one request, and its token while that is valid. Nothing is shared between two
 * tokens of the same person, or between two sets of scopes.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693 | RFC 8693}
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization | MCP, authorization}
 * @publicApi
 */
@Injectable()
export class DownstreamTokens implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new OperatorLogger();
  private readonly exchanges = new Map<TrustedAuthorizationServer, TokenExchange>();
  private readonly shutdown = new AbortController();

  /** @internal */
  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    private readonly revocation: RevocationCheck,
  ) {}

  /** @throws {@link McpAuthConfigError} for keys that cannot sign a request @internal */
  async onModuleInit(): Promise<void> {
    const checks = this.options.resources.flatMap(({ authorizationServers }, at) =>
      authorizationServers.map(async ({ tokenExchange }, index): Promise<ConfigProblem[]> => {
        if (tokenExchange?.privateKey === undefined) return [];
        const path = `resources[${String(at)}].authorizationServers[${String(index)}].tokenExchange.privateKey`;
        return privateKeyJwt(tokenExchange.privateKey).then(
          () => [],
          (error: unknown) => [{ path, message: toIntrospectionFailure(error).message }],
        );
      }),
    );
    const problems = (await Promise.all(checks)).flat();
    if (problems.length > 0) throw new McpAuthConfigError(problems);
  }

  /** Ends pending requests, so that they do not keep the process alive. @internal */
  onApplicationShutdown(): void {
    this.shutdown.abort(new Error('The application has ended'));
  }

  /**
   * Returns an access token for another service, in the name of the caller of this request.
   *
   * Call it for each request to that service, and do not store the token: this object caches it. A caller whose token was
   * revoked during the request gets none, cached or not.
   *
   * Let {@link AuthorizationServerUnavailableError} propagate: if nothing of the answer has been sent, the request is answered
   * with 503 and `Retry-After`.
   *
   * @param target - the service and the scopes
   * @throws {@link DownstreamTokenError} if there is no caller, no option `tokenExchange`, or the server rejects the exchange;
   * {@link AuthorizationServerUnavailableError} if the server does not answer; `TypeError` for a target that no server
   * understands
   */
  async forResource(target: DownstreamTarget): Promise<DownstreamToken> {
    const context = RequestContext.current();
    const { authentication } = context ?? {};
    if (!authentication) throw noCaller();
    try {
      return await this.exchangeFor(authentication, target);
    } catch (error) {
      // The answer says so too if other code catches the error on the way, such as the MCP SDK.
      if (error instanceof AuthorizationServerUnavailableError) context?.response?.deny(error, false);
      throw error;
    }
  }

  private async exchangeFor(
    { auth, resource }: Authentication,
    target: DownstreamTarget,
  ): Promise<DownstreamToken> {
    const server = resource.servers.get(auth.issuer);
    const exchange = server && this.exchangeAt(server);
    if (!exchange) throw notConfigured(auth.issuer);
    const checked = exchange.check(target);
    try {
      await this.revocation.assertNotRevoked(auth);
    } catch (error) {
      if (!(error instanceof TokenRejectedError)) throw error;
      exchange.forget(auth);
      throw new DownstreamTokenError('revoked', 'The token of the caller was revoked during the request');
    }
    return exchange.token(auth, checked);
  }

  private exchangeAt(server: TrustedAuthorizationServer): TokenExchange | undefined {
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

function noCaller(): DownstreamTokenError {
  const message =
    'DownstreamTokens.forResource() needs a caller: call it in the course of a request that was authenticated by a token';
  return new DownstreamTokenError('no_caller', message);
}

function notConfigured(issuer: string): DownstreamTokenError {
  const message = `Tokens of ${issuer} cannot be exchanged: set "tokenExchange" among the options of this authorization server`;
  return new DownstreamTokenError('not_configured', message);
}
