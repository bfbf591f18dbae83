import { randomUUID } from 'node:crypto';

/** The URL that people type into their MCP client. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/shop';

/** The back end, which speaks no MCP. Its own tokens name it so. */
export const ORDERS = process.env['ORDERS_RESOURCE'] ?? 'http://127.0.0.1:3001/orders';

/** The authorization server of both. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** As whom the MCP server exchanges tokens. The secret is made anew for the authorization server that starts beside it. */
export const CLIENT = {
  clientId: process.env['MCP_CLIENT_ID'] ?? 'shop-server',
  clientSecret: process.env['MCP_CLIENT_SECRET'] ?? randomUUID(),
};
