/** The URL that people type into their MCP client. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/documents';

/** The authorization server whose tokens are accepted. Its tokens have the claim `roles`. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** The decision point that AuthZEN calls PDP. Without one, the sample starts its own. */
export const DECISION_POINT = process.env['DECISION_POINT'];
