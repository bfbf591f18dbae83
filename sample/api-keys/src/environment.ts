/** The URL that people type into their MCP client. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/notes';

/** The authorization server whose tokens are accepted beside the keys. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';
