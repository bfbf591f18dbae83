import { randomUUID } from 'node:crypto';

/** The URL that people type into their MCP client. */
export const NOTES = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/notes';

/** An API for one partner. */
export const EXPORT = new URL('/export', NOTES).href;

/** The authorization server whose tokens are accepted, too. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** What the partner sends as its token; made anew at each start unless it is given. */
export const PARTNER_KEY = process.env['PARTNER_KEY'] ?? randomUUID();
