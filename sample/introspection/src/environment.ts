import { randomUUID } from 'node:crypto';

/** The URL that people type into their MCP client. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/notes';

/** The authorization server whose tokens are accepted. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** As whom this server asks about tokens. The secret is made anew for the authorization server that starts beside it. */
export const CLIENT = {
  clientId: process.env['MCP_CLIENT_ID'] ?? 'notes-server',
  clientSecret: process.env['MCP_CLIENT_SECRET'] ?? randomUUID(),
};
