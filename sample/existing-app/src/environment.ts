import { randomUUID } from 'node:crypto';

/** The URL that people type into their MCP client, global prefix included. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/api/mcp';

/** The authorization server whose tokens are accepted. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** What clients of the REST routes send; made anew at each start unless it is given. */
export const API_KEY = process.env['API_KEY'] ?? randomUUID();
