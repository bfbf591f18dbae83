/** The URL that clients use: that of the proxy, the same in all replicas. Proofs of DPoP are for it. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/notes';

/** The authorization server whose tokens are accepted. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** The server of Redis or Valkey. */
export const REDIS_URL = process.env['REDIS_URL'] ?? 'redis://127.0.0.1';

/** What session ids are sealed with: 32 random bytes, the same in all replicas: openssl rand -base64 32 */
export const SESSION_SECRET = process.env['SESSION_SECRET'] ?? '';
