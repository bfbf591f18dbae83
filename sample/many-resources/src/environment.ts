/** The URL that people type into their MCP client. */
export const NOTES = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/notes';

/** An API of the same application that speaks no MCP. */
export const REPORTS = new URL('/reports', NOTES).href;

/** Where customers sign in. */
export const CUSTOMERS = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** Where the staff signs in. */
export const STAFF = process.env['MCP_STAFF_ISSUER'] ?? 'http://127.0.0.1:4001';
