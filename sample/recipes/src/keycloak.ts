import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';

export interface KeycloakSettings {
  /** The URL of the MCP endpoint, as people type it into their client. */
  readonly resource: string;
  /** Where Keycloak is: `https://id.example.com`, with the path that it is served under, if any. */
  readonly url: string;
  readonly realm: string;
}

//#region recipe
export function keycloak({ resource, url, realm }: KeycloakSettings): ProtectedResourceOptions {
  return {
    resource, // is what the audience mapper includes
    authorizationServers: [{ issuer: `${url}/realms/${realm}`, type: 'oidc' }],
    requiredScopes: ['notes:read'], // a client scope with that mapper
  };
}
//#endregion recipe
