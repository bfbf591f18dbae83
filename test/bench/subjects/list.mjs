/** The file that each subject runs in. */
export const SERVER_ENTRY = new URL('./server.mjs', import.meta.url);

/**
 * What is measured, in the order of the table. `always` is the status of those that look at no token: the route itself, and
 * what Nest takes for a guard that does nothing. The least guard that keeps tokens, and the least hooks, show what is left to
 * reach.
 */
export const SUBJECTS = [
  { id: 'bare', title: 'bare Nest route', always: 200 },
  { id: 'uncovered', title: 'route no resource covers', always: 200 },
  { id: 'entering', title: '  least hook before it', always: 200 },
  { id: 'admitting', title: 'guard that admits all', always: 200 },
  { id: 'rejecting', title: 'guard that rejects all', always: 401 },
  { id: 'refusing', title: 'least hook that rejects all', always: 401 },
  { id: 'least', title: 'least guard that keeps tokens' },
  { id: 'guard', title: 'nestjs-mcp-auth' },
  { id: 'early', title: '  earlyAuthentication' },
  { id: 'mcp-auth', title: 'mcp-auth 0.2.0' },
  { id: 'sdk', title: 'SDK v2 + jose' },
  { id: 'auth0', title: 'express-oauth2-jwt-bearer' },
  { id: 'naive', title: 'naive jose guard' },
];

const MCP_SUBJECTS = [
  { id: 'bare', part: 'bare', title: 'no guard', always: 200 },
  { id: 'imported', part: 'imported', title: 'module imported, route unguarded', always: 200 },
  { id: 'rejecting', part: 'rejecting', title: 'guard that rejects all', always: 401 },
  { id: 'least', part: 'least', title: 'least guard that keeps tokens' },
  { id: 'whole', part: 'whole-job', title: 'least code for the whole job' },
  { id: 'naive', part: 'naive', title: 'naive jose guard' },
  { id: 'mcp-auth', part: 'mcp-auth', title: 'mcp-auth 0.2.0' },
  { id: 'guard', part: 'guard', title: 'nestjs-mcp-auth' },
  { id: 'scoped', part: 'guard', scoped: true, title: '  tool with scopes' },
];

const named = (...ids) => MCP_SUBJECTS.filter(({ id }) => ids.includes(id));
const OLD = '2025-11-25';
const NEW = '2026-07-28';
const GUARDS = ['least', 'naive', 'mcp-auth', 'guard', 'scoped'];
const hot = (era, length = 'brief') => ({
  id: `hot ${era}`,
  title: `one hot token, ${era}`,
  kind: 'hot',
  era,
  isGood: true,
  length,
});
const good = (era) => ({ ...hot(era, 'good'), only: ['bare', 'imported', 'whole', ...GUARDS] });
const bad = (kind, title) => ({
  id: kind,
  title,
  kind,
  era: OLD,
  isGood: false,
  length: 'bad',
  only: ['rejecting', ...GUARDS],
});

const proved = (alg) => ({
  id: alg,
  title: `one hot token, fresh ${alg} proofs`,
  kind: 'proved',
  alg,
  era: OLD,
  isGood: true,
  length: 'good',
  isOnce: true,
});

/**
 * How `tools/call` is measured: by transport, what stands before it and what is sent. Without a guard of Nest the module
 * authenticates early, and other guards are middleware. `app` is the application, if it has another name.
 */
export const MCP_TRANSPORTS = {
  nest: {
    title: 'mcp-nest controller',
    subjects: MCP_SUBJECTS,
    workloads: [
      good(OLD),
      good(NEW),
      { ...good(OLD), id: 'distinct', kind: 'distinct', title: 'distinct tokens, each once', isOnce: true },
      bad('missing', 'no token'),
      bad('garbage', 'garbage'),
    ],
  },
  dpop: {
    title: 'mcp-nest controller, DPoP',
    app: 'nest',
    subjects: [
      ...named('bare', 'naive'),
      { id: 'least', part: 'least-dpop', title: 'least guard for DPoP' },
      { id: 'scoped', part: 'dpop', scoped: true, title: 'nestjs-mcp-auth, DPoP required' },
    ],
    workloads: [proved('ES256'), proved('Ed25519'), proved('RS256')],
  },
  mounted: {
    title: 'mcp-nest self-mounted, early authentication',
    subjects: named('bare', ...GUARDS).map((subject) =>
      subject.part === 'guard' ? { ...subject, part: 'early' } : subject,
    ),
    workloads: [hot(OLD)],
  },
  'sdk-v2': {
    title: 'SDK v2 in a controller',
    subjects: named('bare', 'whole', ...GUARDS),
    workloads: [hot(NEW)],
  },
  'sdk-v1': {
    title: 'SDK v1 in a controller',
    subjects: named('bare', ...GUARDS),
    workloads: [hot(OLD)],
  },
};
