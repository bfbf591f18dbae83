import { Injectable, Module } from '@nestjs/common';
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import {
  type AuthInfo,
  AuthorizationServerUnavailableError,
  McpAuthModule,
  TokenVerifier,
  type VerificationContext,
  type VerificationResult,
  VerifiedToken,
} from 'nestjs-mcp-auth';

const RESOURCE = process.env['MCP_RESOURCE'] ?? '';
const ISSUER = process.env['MCP_ISSUER'] ?? '';
const TOKEN_ENDPOINT = process.env['MCP_TOKEN_ENDPOINT'] ?? '';
const CLIENT_ID = process.env['MCP_CLIENT_ID'] ?? '';
const CLIENT_SECRET = process.env['MCP_CLIENT_SECRET'] ?? '';

//#region tenants
/** The tenants by issuer. Read them from your own database: never take the address of keys from a token. */
@Injectable()
export class Tenants {
  private readonly keys = new Map<string, JWTVerifyGetKey>();

  add(issuer: string, jwksUri: string): void {
    this.keys.set(issuer, createRemoteJWKSet(new URL(jwksUri)));
  }

  keysOf(issuer: string | undefined): JWTVerifyGetKey | undefined {
    return issuer === undefined ? undefined : this.keys.get(issuer);
  }
}

@Injectable()
export class TenantVerifier extends TokenVerifier {
  constructor(
    private readonly tenants: Tenants,
    private readonly standard: TokenVerifier,
  ) {
    super();
  }

  async verify(token: string, context: VerificationContext): Promise<VerificationResult> {
    const issuer = unverifiedIssuer(token);
    const keys = this.tenants.keysOf(issuer);
    if (!keys || issuer === undefined) return this.standard.verify(token, context);
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, algorithms: ['RS256'], typ: 'at+jwt' });
      const { iss, sub, ...claims } = payload;
      if (sub === undefined) return null;
      // No "iss": it is not an authorization server of the resource. Two tenants may have the same subject.
      return new VerifiedToken(
        { ...claims, tenant: iss, sub: JSON.stringify([iss, sub]) },
        { requiresExpiry: true },
      );
    } catch (cause) {
      if (BAD_TOKEN.some((kind) => cause instanceof kind)) return null;
      throw new AuthorizationServerUnavailableError(issuer, 'keys', { cause });
    }
  }
}

const BAD_TOKEN = [
  errors.JOSEAlgNotAllowed,
  errors.JWKSNoMatchingKey,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
];

function unverifiedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined; // not a JWT
  }
}
//#endregion tenants

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: { resource: RESOURCE, authorizationServers: [ISSUER] },
      verifier: TenantVerifier,
    }),
  ],
  providers: [Tenants, TenantVerifier],
})
export class TenantModule {}

//#region exchange
/** Exchanges the caller's token for one that is good at another service (RFC 8693). */
export async function exchange(auth: AuthInfo, service: string): Promise<string> {
  const credentials = [CLIENT_ID, CLIENT_SECRET].map(encodeURIComponent).join(':');
  const answer = await fetch(TOKEN_ENDPOINT, {
    method: 'POST',
    redirect: 'error',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: auth.token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: service,
    }),
  });
  if (!answer.ok) throw new Error(`The token exchange was answered with ${answer.status}`);
  const { access_token } = (await answer.json()) as { access_token: string };
  return access_token;
}
//#endregion exchange
