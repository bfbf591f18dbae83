/** The file that each subject runs in. */
export const SERVER_ENTRY = new URL('./server.mjs', import.meta.url);

/** What is measured, in the order of the table. */
export const SUBJECTS = [
  { id: 'bare', title: 'bare Nest route' },
  { id: 'guard', title: 'nestjs-mcp-auth' },
  { id: 'mcp-auth', title: 'mcp-auth 0.2.0' },
  { id: 'sdk', title: 'SDK v2 + jose' },
  { id: 'auth0', title: 'express-oauth2-jwt-bearer' },
  { id: 'naive', title: 'naive jose guard' },
];
