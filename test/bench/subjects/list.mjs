/** The file that each subject runs in. */
export const SERVER_ENTRY = new URL('./server.mjs', import.meta.url);

/**
 * What is measured, in the order of the table. `always` is the status of those that look at no token: the route itself, and
 * what Nest takes for a guard that does nothing. The least guard that keeps tokens shows what a cache leaves to reach.
 */
export const SUBJECTS = [
  { id: 'bare', title: 'bare Nest route', always: 200 },
  { id: 'admitting', title: 'guard that admits all', always: 200 },
  { id: 'rejecting', title: 'guard that rejects all', always: 401 },
  { id: 'least', title: 'least guard that keeps tokens' },
  { id: 'guard', title: 'nestjs-mcp-auth' },
  { id: 'early', title: '  earlyAuthentication' },
  { id: 'mcp-auth', title: 'mcp-auth 0.2.0' },
  { id: 'sdk', title: 'SDK v2 + jose' },
  { id: 'auth0', title: 'express-oauth2-jwt-bearer' },
  { id: 'naive', title: 'naive jose guard' },
];
