import type { McpAuthModuleOptions } from 'nestjs-mcp-auth';
import type { JSONWebKeySet } from 'jose';
import type { Provider } from 'oidc-provider';
import { ISSUER, RESOURCE } from './environment.js';

const MEANT = { resource: RESOURCE, requiredScopes: ['notes:read'] };

/** The authorization server is known: nothing is fetched, and no warning says what it lacks. */
const OWN_SERVER = { metadata: { issuer: ISSUER }, mcpCompliance: 'off' } as const;

//#region function
/** Opaque tokens: looked up where the authorization server of this process keeps them. */
export function byLookup(provider: Provider): McpAuthModuleOptions {
  return {
    resources: { ...MEANT, authorizationServers: [OWN_SERVER] },
    verifier: async (token) => {
      const found = await provider.AccessToken.find(token);
      if (found?.isValid !== true) return null;
      const { accountId, clientId, aud, scope, exp, iat, jti } = found;
      return { iss: ISSUER, sub: accountId, client_id: clientId, aud, scope, exp, iat, jti };
    },
  };
}
//#endregion function

//#region keys
/** JWTs: verified by the keys of this process. */
export function byKeys(jwks: JSONWebKeySet): McpAuthModuleOptions {
  return { resources: { ...MEANT, authorizationServers: [{ ...OWN_SERVER, jwks }] } };
}
//#endregion keys
