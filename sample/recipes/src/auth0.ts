import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';

export interface Auth0Settings {
  /** The URL of the MCP endpoint, as people type it into their client. */
  readonly resource: string;
  /** The tenant: `https://example.eu.auth0.com/`, or its custom domain, with the slash at the end. */
  readonly issuer: string;
}

//#region recipe
export function auth0({ resource, issuer }: Auth0Settings): ProtectedResourceOptions {
  return {
    resource, // exactly the API's identifier
    authorizationServers: [{ issuer, type: 'oidc', profile: 'rfc9068' }], // the API's token profile
    requiredScopes: ['notes:read'],
  };
}
//#endregion recipe
