import { randomUUID } from 'node:crypto';

/** The URL that people type into their MCP client. */
export const RESOURCE = process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/notes';

/** The authorization server whose tokens are accepted. */
export const ISSUER = process.env['MCP_ISSUER'] ?? 'http://127.0.0.1:4000';

/** As whom this server introspects opaque tokens. JWTs are verified by the keys of the authorization server. */
export const CLIENT = {
  clientId: process.env['MCP_CLIENT_ID'] ?? 'notes-server',
  clientSecret: process.env['MCP_CLIENT_SECRET'] ?? randomUUID(),
};

/** The audit log. A number follows the name: `audit.1.log`. */
export const AUDIT = {
  file: process.env['AUDIT_FILE'] ?? 'audit/audit.log',
  maxSize: process.env['AUDIT_MAX_SIZE'] ?? '10m',
};
