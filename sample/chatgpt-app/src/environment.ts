/** The URL that people type into their MCP client. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/articles';

/** The authorization server whose tokens are accepted. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

export const SCOPES = ['articles:read', 'articles:save'];
