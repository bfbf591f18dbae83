import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';

export interface EntraSettings {
  /** The URL of the MCP endpoint, as people type it into their client; also the API's Application ID URI. */
  readonly resource: string;
  /** The tenants whose people may come in, by their ids. */
  readonly tenantIds: readonly string[];
  /** The Application (client) ID of the API's own registration. */
  readonly apiClientId: string;
  /** Another one in national clouds. */
  readonly authority?: string;
}

//#region recipe
export function entra(settings: EntraSettings): ProtectedResourceOptions {
  const { resource, tenantIds, apiClientId, authority = 'https://login.microsoftonline.com' } = settings;
  // Tokens say notes.read, clients request the whole name. Everything here uses the whole name.
  const scopes = ({ scp }: Readonly<Record<string, unknown>>) =>
    typeof scp === 'string' ? scp.split(' ').map((scope) => `${resource}/${scope}`) : [];
  return {
    resource,
    audience: apiClientId, // what version 2.0 tokens have
    authorizationServers: tenantIds.map((tenantId) => ({
      issuer: `${authority}/${tenantId}/v2.0`,
      type: 'oidc' as const,
      requiredClaims: ['scp'], // neither ID tokens nor application tokens have it
      claimNames: { scopes },
    })),
    requiredScopes: [`${resource}/notes.read`],
  };
}
//#endregion recipe
