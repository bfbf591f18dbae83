import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';

export interface CasdoorSettings {
  /** The URL of the MCP endpoint, as people type it into their client. */
  readonly resource: string;
  /** Casdoor's `origin`, such as `https://door.example.com`. */
  readonly origin: string;
}

//#region recipe
export function casdoor({ resource, origin }: CasdoorSettings): ProtectedResourceOptions {
  // A refresh token is a JWT too, with the same key, issuer, audience and scope: it grants nothing.
  const scopes = ({ tokenType, scope }: Readonly<Record<string, unknown>>) =>
    tokenType === 'access-token' && typeof scope === 'string' ? scope.split(' ') : [];
  return {
    resource,
    authorizationServers: [
      { issuer: origin, type: 'oidc', requiredClaims: ['tokenType'], claimNames: { scopes } },
    ],
    requiredScopes: ['notes:read'], // never empty: without it, a refresh token would pass
  };
}
//#endregion recipe
