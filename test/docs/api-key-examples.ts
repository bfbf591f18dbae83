import { firstOf, type ProtectedResourceOptions, TokenVerifier, type VerifyToken } from 'nestjs-mcp-auth';

const resource = process.env['MCP_RESOURCE'] ?? 'https://api.example.com/notes';
const authorizationServers = [process.env['MCP_ISSUER'] ?? 'https://auth.example.com'];

/** Verifiers of two kinds of opaque tokens. */
export const verifyPartnerToken: VerifyToken = (token) =>
  token === 'partner-token' ? { sub: 'partner', client_id: 'partner', aud: resource } : null;
export const verifyBuildToken: VerifyToken = (token) =>
  token === 'build-token' ? { sub: 'build', client_id: 'ci', aud: resource } : null;

//#region firstOf
export const composed: ProtectedResourceOptions = {
  resource,
  authorizationServers,
  // The tokens of the authorization server, then those of partners, then those of build machines.
  verifier: firstOf(TokenVerifier, verifyPartnerToken, verifyBuildToken),
};
//#endregion firstOf

//#region clients
export const forClients: ProtectedResourceOptions = {
  resource,
  authorizationServers,
  allowedClients: {
    clientIds: ['reporting-job', 'https://tools.example.com/oauth/client.json'],
    origins: ['https://claude.ai'],
  },
};
//#endregion clients
