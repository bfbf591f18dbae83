import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import {
  AuthorizationServerUnavailableError,
  type ProtectedResourceOptions,
  type TrustedAuthorizationServer,
  type VerificationContext,
  VerifiedToken,
} from 'nestjs-mcp-auth';

export interface CognitoSettings {
  /** The URL of the MCP endpoint, as people type it into their client; also the resource server's identifier. */
  readonly resource: string;
  /** The user pool: `https://cognito-idp.REGION.amazonaws.com/POOL_ID`. */
  readonly issuer: string;
}

//#region recipe
export function cognito({ resource, issuer }: CognitoSettings): ProtectedResourceOptions {
  return {
    resource,
    authorizationServers: [{ issuer, type: 'oidc' }],
    requiredScopes: [`${resource}/read`], // a custom scope, behind the resource server's identifier
  };
}
//#endregion recipe

//#region verifier
/** For pools without resource binding, whose tokens have no `aud`: see what it cannot know before you use it. */
export function cognitoWithoutAudience(settings: CognitoSettings): ProtectedResourceOptions {
  return { ...cognito(settings), verifier: new CognitoVerifier() };
}

export class CognitoVerifier {
  private readonly keys = new Map<string, JWTVerifyGetKey>();

  async verify(token: string, { resource, authorizationServers }: VerificationContext) {
    const [server] = authorizationServers.values();
    if (!server) return null;
    const keys = await this.keysOf(server);
    try {
      const { payload } = await jwtVerify(token, keys, { issuer: server.issuer, algorithms: ['RS256'] });
      if (payload['token_use'] !== 'access') return null;
      const audienceVerified = isOnlyFor(resource, payload['scope']);
      return new VerifiedToken(payload, { requiresExpiry: true, audienceVerified });
    } catch (cause) {
      if (BAD_TOKEN.some((kind) => cause instanceof kind)) return null;
      throw new AuthorizationServerUnavailableError(server.issuer, 'keys', { cause });
    }
  }

  private async keysOf(server: TrustedAuthorizationServer): Promise<JWTVerifyGetKey> {
    const known = this.keys.get(server.issuer);
    if (known) return known;
    const { jwks_uri = '' } = await server.metadata();
    const keys = createRemoteJWKSet(new URL(jwks_uri));
    this.keys.set(server.issuer, keys);
    return keys;
  }
}

/** Whether it has scopes of this resource server and of no other: only theirs have a slash. */
function isOnlyFor(resource: string, scope: unknown): boolean {
  const custom = typeof scope === 'string' ? scope.split(' ').filter((each) => each.includes('/')) : [];
  return custom.length > 0 && custom.every((each) => isOf(resource, each));
}

/** `https://api.example.com/notes/read` is of `https://api.example.com/notes`, `…/notes/admin/read` is not. */
function isOf(resource: string, scope: string): boolean {
  return scope.slice(0, scope.lastIndexOf('/')) === resource;
}

/** What jose throws for a token that is not good. Anything else is about the keys. */
const BAD_TOKEN = [
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSMultipleMatchingKeys,
  errors.JWKSNoMatchingKey,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
];
//#endregion verifier
