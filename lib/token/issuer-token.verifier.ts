import { Inject, Injectable } from '@nestjs/common';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { isThenable } from '../platform/deadline.js';
import { IntrospectionTokenVerifier } from './introspection-token.verifier.js';
import { decodeClaims, decodeHeader } from './decode-jws.js';
import { JwtTokenVerifier } from './jwt-token.verifier.js';
import {
  type TokenClaims,
  TokenVerifier,
  type VerificationContext,
  type VerifiedToken,
} from '../options/token.verifier.js';

/**
 * The default verifier: finds the authorization server of a token, and verifies the token in that server's mode.
 *
 * A JWT belongs only to the server that its `iss` names. The `iss` only chooses among the servers of the resource, those that
 * its `authorizationServerResolver` knows included. Any other token is opaque, and belongs to the one configured server with
 * introspection. No token is sent to two servers.
 *
 * @internal
 */
@Injectable()
export class IssuerTokenVerifier extends TokenVerifier {
  constructor(
    @Inject(JwtTokenVerifier) private readonly jwt: Pick<JwtTokenVerifier, 'verify'>,
    @Inject(IntrospectionTokenVerifier)
    private readonly introspection: Pick<IntrospectionTokenVerifier, 'verify'>,
  ) {
    super();
  }

  /** Verifies a token. Returns or throws at once if no request is needed: malformed tokens and cached responses. */
  verify(token: string, context: VerificationContext): VerifiedToken | null | Promise<VerifiedToken | null> {
    const route = routeOf(token, context);
    return route instanceof Promise
      ? route.then((found) => this.verifyAt(found, token, context))
      : this.verifyAt(route, token, context);
  }

  private verifyAt(
    { server, claims }: TokenRoute,
    token: string,
    context: VerificationContext,
  ): VerifiedToken | null | Promise<VerifiedToken | null> {
    return claims
      ? this.jwt.verify(token, claims, server)
      : this.introspection.verify(token, server, context);
  }
}

/** How a token is verified: by the keys of its server if it has claims, else by introspection there. @internal */
export interface TokenRoute {
  readonly server: TrustedAuthorizationServer;
  /** The decoded claims, not verified. */
  readonly claims: TokenClaims | undefined;
}

type KnownServers = Pick<VerificationContext, 'authorizationServers' | 'findAuthorizationServer'>;

/**
 * Finds the server that a token belongs to. Returns a promise only if the application has to be asked for it.
 *
 * @throws {@link TokenRejectedError} `malformed` or `issuer`
 * @internal
 */
export function routeOf(token: string, context: KnownServers): TokenRoute | Promise<TokenRoute> {
  const opaqueServer = serverForOpaque(context);
  if (opaqueServer && !looksLikeJwt(token)) return { server: opaqueServer, claims: undefined };
  const claims = decodeClaims(token);
  const { iss } = claims;
  if (typeof iss !== 'string') throw new TokenRejectedError('issuer');
  const server = context.authorizationServers.get(iss) ?? context.findAuthorizationServer?.(iss);
  return isThenable(server)
    ? Promise.resolve(server).then((found) => toRoute(found, claims))
    : toRoute(server, claims);
}

function toRoute(server: TrustedAuthorizationServer | undefined, claims: TokenClaims): TokenRoute {
  if (!server) throw new TokenRejectedError('issuer');
  return { server, claims: server.options.mode === 'introspection' ? undefined : claims };
}

/** Returns the one server of the resource with introspection. The options allow only one. */
function serverForOpaque({
  authorizationServers,
}: Pick<VerificationContext, 'authorizationServers'>): TrustedAuthorizationServer | undefined {
  for (const server of authorizationServers.values()) {
    if (server.options.introspection !== undefined) return server;
  }
  return undefined;
}

/** Whether a token has the shape of a compact JWS: three parts, the first of which is a JSON object. */
function looksLikeJwt(token: string): boolean {
  return token.split('.', 4).length === 3 && decodeHeader(token) !== undefined;
}
