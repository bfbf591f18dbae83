import { Inject, Injectable } from '@nestjs/common';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { IntrospectionTokenVerifier } from './introspection-token.verifier.js';
import { decodeClaims, decodeHeader } from './decode-jws.js';
import { JwtTokenVerifier } from './jwt-token.verifier.js';
import { TokenVerifier, type VerificationContext, type VerifiedToken } from '../options/token.verifier.js';

/**
 * The verifier that is used unless the application provides another: a token goes to the authorization server it
 * can belong to, and is verified as that server's mode says.
 *
 * A JWT belongs to the server that its `iss` names, and to no other; the name only chooses among the servers of
 * the resource. Anything else is opaque and goes to the one server that can be asked. Nothing goes to two.
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

  /** Decides at once where nobody has to be asked: what it rejects by its looks, and answers that are kept. */
  verify(token: string, context: VerificationContext): VerifiedToken | null | Promise<VerifiedToken | null> {
    const opaqueServer = serverForOpaque(context);
    if (opaqueServer && !looksLikeJwt(token)) {
      return this.introspection.verify(token, opaqueServer, context);
    }
    const claims = decodeClaims(token);
    const server =
      typeof claims['iss'] === 'string' ? context.authorizationServers.get(claims['iss']) : undefined;
    if (!server) throw new TokenRejectedError('issuer');
    return server.options.mode === 'introspection'
      ? this.introspection.verify(token, server, context)
      : this.jwt.verify(token, claims, server);
  }
}

/** The one server of the resource that can be asked about tokens; the options allow no second. */
function serverForOpaque({
  authorizationServers,
}: VerificationContext): TrustedAuthorizationServer | undefined {
  for (const server of authorizationServers.values()) {
    if (server.options.introspection !== undefined) return server;
  }
  return undefined;
}

/** A compact JWS by its shape: three parts, the first of which is a JSON object. */
function looksLikeJwt(token: string): boolean {
  return token.split('.', 4).length === 3 && decodeHeader(token) !== undefined;
}
