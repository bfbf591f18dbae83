import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';

export interface OktaSettings {
  /** The URL of the MCP endpoint, as people type it into their client. */
  readonly resource: string;
  /** The organization: `https://example.okta.com`, or its custom domain. */
  readonly url: string;
  /** The custom authorization server; `default` is the one that Okta makes. */
  readonly authorizationServerId: string;
}

//#region recipe
export function okta({ resource, url, authorizationServerId }: OktaSettings): ProtectedResourceOptions {
  return {
    resource, // is the audience of the custom authorization server
    authorizationServers: [{ issuer: `${url}/oauth2/${authorizationServerId}`, type: 'oidc' }],
    requiredScopes: ['notes:read'],
  };
}
//#endregion recipe
