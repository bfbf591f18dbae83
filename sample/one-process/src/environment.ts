/** The URL that people type into their MCP client. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/notes';

/** The authorization server is at the origin of the resource: one process, one port. */
export const ISSUER = new URL(RESOURCE).origin;

export const USERNAME = process.env['AS_USERNAME'] ?? 'demo';
export const PASSWORD = process.env['AS_PASSWORD'] ?? 'demo';

/** `jwt`, or opaque tokens. */
export const ACCESS_TOKENS = process.env['ACCESS_TOKENS'] === 'jwt' ? 'jwt' : 'opaque';
