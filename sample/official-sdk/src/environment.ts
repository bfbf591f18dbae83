/** The URLs that people type into their MCP client: of the server on SDK v2, and of the one on v1. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/notes';
export const RESOURCE_V1 = `${RESOURCE}-v1`;

/** The authorization server whose tokens are accepted. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';
