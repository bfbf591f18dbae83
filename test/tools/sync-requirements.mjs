/**
 * Writes docs/reference/requirements.md from test/requirements.ts.
 *
 *     node test/tools/sync-requirements.mjs [--check] [root]
 *
 * With --check nothing is written; it fails if the page differs. Both fail for a requirement of a family without a title.
 */
import { join } from 'node:path';
import { formatted, root, settle } from './generated-page.mjs';
import { loadTypeScript } from './load-typescript.mjs';

const PAGE = 'docs/reference/requirements.md';
/** The title of each family, by the letters that its IDs begin with, in the order of the page. */
const FAMILIES = {
  PRM: 'Protected resource metadata',
  CHL: 'Challenges',
  TOK: 'Tokens in requests',
  JWT: 'JSON Web Tokens',
  CLM: 'Scopes and identity in claims',
  AUD: 'Audience',
  KEY: 'Keys',
  OPQ: 'Opaque tokens and introspection',
  VER: 'Verifiers of the application',
  ASM: 'Authorization server metadata',
  SCP: 'Scopes of operations',
  SSE: 'Event streams',
  SES: 'Sessions',
  ORG: 'Origin and Host',
  TEN: 'Tenants',
  POP: 'Proof of possession',
  STP: 'Step-up authentication',
  STD: 'Callers over stdio',
  WAY: 'Ways into a handler',
  RTR: 'One path for each request',
  LEG: 'Legacy clients',
  CLI: 'Clients',
  EXT: 'MCP extensions',
  OPS: 'Operations',
  DOC: 'Doctor',
  H: 'Hostile inputs',
  F: 'Features',
};

const { requirements } = await loadTypeScript(join(root, 'test/requirements.ts'));
const entries = Object.entries(requirements)
  .map(([id, requirement]) => ({ id, family: /^[A-Z]+/.exec(id)[0], ...requirement }))
  .sort((one, other) => one.id.localeCompare(other.id, 'en', { numeric: true }));
const problems = entries
  .filter(({ family }) => !(family in FAMILIES))
  .map(({ id, family }) => `${id}: the family ${family} has no title in test/tools/sync-requirements.mjs`);
const page = await formatted(makePage());
settle(PAGE, page, 'sync-requirements.mjs', problems);

function makePage() {
  const deferred = entries.filter((entry) => entry.deferred !== undefined).length;
  const counts = `${entries.length} requirements: ${entries.length - deferred} tested, ${deferred} deferred.`;
  const introduction = `# Requirements

${counts} Each line has the ID, what the package does, and the source of the requirement. A test cites the ID of each requirement
that is not deferred; \`npm run requirements\` prints its specs. This page is made by \`node test/tools/sync-requirements.mjs\` from
[test/requirements.ts](../../test/requirements.ts).`;
  const groups = Object.entries(FAMILIES).map(([family, title]) => {
    const lines = entries.filter((entry) => entry.family === family).map(print);
    return lines.length > 0 ? `## ${title}\n\n${lines.join('\n')}` : '';
  });
  return [introduction, ...groups.filter((group) => group !== '')].join('\n\n');
}

function print({ id, behaviour, source, deferred }) {
  const line = `- **${id}**: ${escape(behaviour)} (${escape(source)})`;
  return deferred === undefined ? line : `${line}. Deferred: ${escape(deferred)}`;
}

/** Text in which nothing is markup. */
function escape(text) {
  return text.replaceAll(/[\\`*_{}[\]<>#|]/g, '\\$&');
}
