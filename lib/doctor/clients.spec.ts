import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { CLIENT_FAMILIES } from './client-families.js';
import { judgeClients } from './clients.js';
import { type Facts, noFacts } from './context.js';
import { type Finding, ok } from './finding.js';

const URL = 'https://api.example.com/mcp';
const METADATA = {
  registration_endpoint: 'https://as.example/r',
  client_id_metadata_document_supported: true,
};

function facts(more: Partial<Facts> = {}, metadata: object = METADATA): Facts {
  return {
    ...noFacts(),
    hasToolChallenge: true,
    document: { scopes_supported: ['a', 'b'] },
    challenge: { scheme: 'Bearer', parameters: [{ name: 'scope', value: 'a b' }] },
    servers: [{ issuer: 'https://as.example', metadata: { ...metadata }, keys: undefined }],
    ...more,
  };
}

/** Names of the families by their verdict and reasons, except those that work. */
function troubled(given: Facts, findings: readonly Finding[] = [], url = URL): [string, string, string][] {
  return judgeClients(findings, { url, facts: given })
    .filter(({ verdict }) => verdict !== 'works')
    .map(({ name, verdict, reasons }) => [name, verdict, reasons.join(' | ')]);
}

const CODEX: [string, string, string] = ['Codex', 'limited', 'The user names the scopes at login'];

describe('judgeClients', () => {
  verifies('DOC-14', 'has the families of the clients page, each with its section', () => {
    const page = readFileSync(new globalThis.URL('../../docs/clients.md', import.meta.url), 'utf8');
    const sections = [...page.matchAll(/^### (.+)$/gm)].map(([, title = '']) => title);
    expect(CLIENT_FAMILIES.map(({ name }) => name).sort()).toEqual(sections.sort());
    for (const { name, anchor } of CLIENT_FAMILIES) {
      expect(anchor).toBe(name.toLowerCase().replaceAll(/[ .]/g, '-'));
    }
  });

  verifies('DOC-14', 'agrees with the tables of the clients page', () => {
    const page = readFileSync(new globalThis.URL('../../docs/clients.md', import.meta.url), 'utf8');
    const rowsOf = (heading: string): string[][] => {
      const [, table = ''] = page.split(new RegExp(`^\\| client +\\| ${heading}.*\\n\\|[- |]+\\n`, 'm'));
      const [rows = ''] = table.split('\n\n');
      return rows.split('\n').map((row) => row.split('|').map((cell) => cell.trim()));
    };
    const signIn = rowsOf('asks at sign-in');
    expect(signIn).toHaveLength(5);
    for (const [, name, asks, , stepUp] of signIn) {
      expect(CLIENT_FAMILIES.find((family) => family.name === name)).toMatchObject({
        requests: asks === 'the challenge' ? 'challenge' : 'supported',
        stepsUp: stepUp === 'yes',
      });
    }
    for (const [, name, documents, dynamic] of rowsOf('CIMD')) {
      const ways = [documents === 'yes' && 'documents', dynamic === 'yes' && 'dynamic'].filter(Boolean);
      expect(CLIENT_FAMILIES.find((family) => family.name === name)?.registersBy).toEqual(ways);
    }
  });

  verifies('DOC-14', 'has all of them work with all that they need', () => {
    expect(troubled(facts())).toEqual([CODEX]);
  });

  verifies('DOC-14', 'limits clients that do not step up if the challenge leaves out scopes', () => {
    const parameters = [{ name: 'scope', value: 'a' }];
    const limited = troubled(facts({ challenge: { scheme: 'Bearer', parameters } })).map(([name]) => name);
    expect(limited).toEqual([
      ...['Official SDK v1', 'AI SDK', 'MCPJam SDK', 'Claude Code', 'Claude.ai', 'ChatGPT', 'Codex'],
    ]);
    const none = facts({ challenge: { scheme: 'Bearer', parameters: [] } });
    expect(troubled(none)).toEqual([CODEX]);
  });

  verifies('DOC-14', 'limits clients that cannot register', () => {
    const limited = (metadata: object) => troubled(facts({}, metadata)).map(([name]) => name);
    expect(limited({})).toHaveLength(CLIENT_FAMILIES.length);
    expect(limited({ client_id_metadata_document_supported: true })).toEqual([
      ...['AI SDK', 'MCPJam SDK', 'Claude.ai', 'Codex', 'VS Code', 'Cursor'],
    ]);
  });

  verifies('DOC-14', 'limits clients that read scopes_supported if there is none', () => {
    expect(troubled(facts({ document: {} })).map(([name]) => name)).toEqual(['MCP Inspector CLI', 'Cursor']);
  });

  verifies('DOC-14', 'limits ChatGPT and Codex without tool challenges and security schemes', () => {
    const tools = [{ name: 't', scopes: undefined, hasSchemes: false }];
    const reasons = troubled(facts({ hasToolChallenge: false, tools })).map(([name, , why]) => [
      name,
      why.split(' | '),
    ]);
    expect(reasons).toEqual([
      [
        'ChatGPT',
        [
          'It offers its sign-in by challenges in tool results: set "toolChallenge"',
          'It needs "securitySchemes" of each tool: set "toolSecuritySchemes"',
        ],
      ],
      ['Codex', expect.arrayContaining(['The user names the scopes at login'])],
    ]);
  });

  verifies('DOC-14', 'fails remote clients at a private address, and all at a blocking error', () => {
    expect(
      troubled(facts(), [], 'http://127.0.0.1:3000/mcp').map(([name, verdict]) => [name, verdict]),
    ).toEqual([
      ['Claude.ai', 'fails'],
      ['ChatGPT', 'fails'],
      ['Codex', 'limited'],
    ]);
    const error = (id: string): Finding => ({ ...ok(id, 'Broken', 'https://x.example'), severity: 'error' });
    for (const id of ['pkce_missing', 'tls_expired', 'resource_mismatch']) {
      const verdicts = troubled(facts(), [error(id)]);
      expect(verdicts.map(([, verdict, why]) => [verdict, why])).toEqual(
        CLIENT_FAMILIES.map(() => ['fails', 'Broken']),
      );
    }
    expect(troubled(facts(), [error('query_token_read')])).toEqual([CODEX]);
  });

  verifies('DOC-14', 'says that there is no sign-in', () => {
    const [first] = troubled(facts(), [ok('no_authentication', 'x', 'https://x.example')]);
    expect(first).toEqual([
      'Official SDK v2',
      'limited',
      'It connects, and everybody can: there is no sign-in',
    ]);
  });
});
