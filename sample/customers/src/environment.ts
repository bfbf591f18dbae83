/** The URL that people type into their MCP client. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/whoami';

/** Where your own people sign in. The metadata lists it. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** A file with the issuers of customers, one on each line. It stands for a database. */
export const CUSTOMERS_FILE = process.env['CUSTOMERS_FILE'] ?? 'customers.txt';
