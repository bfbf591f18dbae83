import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';

export interface WorkosSettings {
  /** The URL of the MCP endpoint, as people type it into their client. */
  readonly resource: string;
  /** The AuthKit domain: `https://example.authkit.app`, or a custom one. */
  readonly authkitDomain: string;
}

//#region recipe
export function workos({ resource, authkitDomain }: WorkosSettings): ProtectedResourceOptions {
  return {
    resource, // is listed among the MCP resource indicators
    authorizationServers: [{ issuer: authkitDomain, type: 'oidc' }],
  };
}
//#endregion recipe
