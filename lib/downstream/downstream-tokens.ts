import { Injectable } from '@nestjs/common';
import { DownstreamTokenError } from '../errors/downstream-token.error.js';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import { type Authentication, RequestContext } from '../request/request-context.js';
import { RevocationCheck } from '../request/revocation.check.js';
import { serverOf } from '../resource/server-of.js';
import type { DownstreamTarget } from './downstream-target.js';
import type { DownstreamToken } from './downstream-token.js';
import { TokenExchanges } from './token-exchanges.js';

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
export class DownstreamTokens {
  /** @internal */
  constructor(
    private readonly exchanges: TokenExchanges,
    private readonly revocation: RevocationCheck,
  ) {}

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
    // An API key is no token, and goes nowhere.
    if (auth.token === '') throw noToken();
    const server = serverOf(resource, auth.issuer);
    const exchange = server && this.exchanges.at(server);
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
}

function noCaller(): DownstreamTokenError {
  const message =
    'DownstreamTokens.forResource() needs a caller: call it in the course of a request that was authenticated by a token';
  return new DownstreamTokenError('no_caller', message);
}

function noToken(): DownstreamTokenError {
  const message = 'The caller has no token that could be exchanged, but for example an API key';
  return new DownstreamTokenError('not_configured', message);
}

function notConfigured(issuer: string): DownstreamTokenError {
  const message = `Tokens of ${issuer} cannot be exchanged: set "tokenExchange" among the options of this authorization server`;
  return new DownstreamTokenError('not_configured', message);
}
