/** The URL that people of the tenant acme type into their MCP client. */
export const ACME = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/t/acme/mcp';

/** The same for the tenant beta. */
export const BETA = new URL('/t/beta/mcp', ACME).href;

/** The resource of each tenant. */
export const RESOURCE = `${new URL(ACME).origin}/t/{tenant}/mcp`;

/** Where people of acme sign in. */
export const ACME_ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** Where people of beta sign in. */
export const BETA_ISSUER = process.env['MCP_BETA_ISSUER'] ?? 'http://127.0.0.1:4001';
