import { Inject, Injectable } from '@nestjs/common';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
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
 * A JWT belongs only to the server that its `iss` names. The `iss` only chooses among the servers of the resource. Any
 * other token is opaque, and belongs to the one server with introspection. No token is sent to two servers.
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
    const { server, claims } = routeOf(token, context);
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

/**
 * Finds the server that a token belongs to.
 *
 * @throws {@link TokenRejectedError} `malformed` or `issuer`
 * @internal
 */
export function routeOf(
  token: string,
  context: Pick<VerificationContext, 'authorizationServers'>,
): TokenRoute {
  const opaqueServer = serverForOpaque(context);
  if (opaqueServer && !looksLikeJwt(token)) return { server: opaqueServer, claims: undefined };
  const claims = decodeClaims(token);
  const server =
    typeof claims['iss'] === 'string' ? context.authorizationServers.get(claims['iss']) : undefined;
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
