import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';

export interface LogtoSettings {
  /** The URL of the MCP endpoint, as people type it into their client. */
  readonly resource: string;
  /** The tenant: `https://example.logto.app`, or its custom domain. */
  readonly endpoint: string;
}

//#region recipe
export function logto({ resource, endpoint }: LogtoSettings): ProtectedResourceOptions {
  return {
    resource, // exactly the API identifier of the API resource
    authorizationServers: [{ issuer: `${endpoint}/oidc`, type: 'oidc' }],
    requiredScopes: ['notes:read'],
  };
}
//#endregion recipe
