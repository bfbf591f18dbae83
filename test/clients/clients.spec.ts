import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect } from 'vitest';
import { verifies } from '../verifies.js';
import { MCP_NEST, SDK } from './place.js';
import { type ClientProgram, PROGRAMS, SDK_V1_WITHOUT_REFRESH } from './programs.js';
import { CLIENT_METADATA_URL } from './recording-server.js';
import { signInOnly, type Tour, tour } from './tour.js';

/** What each program does that not all do. The page docs/clients.md says the same to readers; a test below compares it. */
interface Expectation {
  /** The scopes of its first authorization request: those of the challenge, or all that the metadata names. */
  readonly asksFor: 'challenge' | 'metadata';
  /** Whether it gets a wider token; else what it says instead. */
  readonly stepUp: true | RegExp;
  /** Whether it takes a Client ID Metadata Document; else what it says instead. */
  readonly document: true | RegExp;
  /** Whether it opens a session for each call. */
  readonly sessionPerCall?: boolean;
}

const EXPECTED: Readonly<Record<string, Expectation>> = {
  'Official SDK v2': { asksFor: 'challenge', stepUp: true, document: true },
  'Official SDK v1': {
    asksFor: 'challenge',
    stepUp: /Server returned 403 after trying upscoping/,
    document: true,
  },
  'MCP Inspector CLI': {
    asksFor: 'metadata',
    stepUp: /auth\(\) returned AUTHORIZED without authorization code/,
    document: true,
    sessionPerCall: true,
  },
  'mcp-remote': { asksFor: 'challenge', stepUp: true, document: true },
  'AI SDK': {
    asksFor: 'challenge',
    stepUp: /HTTP 403.*insufficient_scope/,
    document: /does not support dynamic client registration/,
  },
};

function expectationOf({ name }: ClientProgram): Expectation {
  const expectation = EXPECTED[name];
  if (!expectation) throw new Error(`It is not said what to expect of ${name}`);
  return expectation;
}

const SCOPES = { challenge: ['notes:read'], metadata: ['notes:read', 'notes:write'] };

const scopesOf = (requested: string | undefined): readonly string[] =>
  (requested ?? '').split(' ').filter((scope) => scope !== 'offline_access');

/** What the tests below found out, in the words of docs/clients.md. */
const measured = new Map<string, Record<string, string>>();

function note(program: string, facts: Record<string, string>): void {
  measured.set(program, { ...measured.get(program), ...facts });
}

const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no');

describe.each([MCP_NEST, SDK])('at $name', (deployment) => {
  describe.each(PROGRAMS)('$name', (program) => {
    const { asksFor, stepUp, sessionPerCall = false } = expectationOf(program);
    let toured: Tour;

    beforeAll(async () => {
      toured = await tour(program, deployment);
    });

    verifies(['CLI-50', 'CLI-51'], 'registers itself, signs its person in, and calls a tool', () => {
      expect(toured.signIn).toEqual({ text: 'list', authorized: [expect.any(String)], refreshes: 0 });
      expect(toured.registered).toHaveLength(1);
      expect(toured.clientIds).toEqual(toured.registered);
      expect(scopesOf(toured.signIn.authorized[0])).toEqual(SCOPES[asksFor]);
      note(program.name, {
        'asks at sign-in for': asksFor === 'challenge' ? 'the challenge' : '`scopes_supported`',
        DCR: yesOrNo(toured.registered.length === 1),
      });
    });

    verifies('CLI-63', 'lists tools that declare their security schemes', () => {
      const purge = toured.tools.find(({ name }) => name === 'purge');
      const securitySchemes = [{ type: 'oauth2', scopes: ['notes:read', 'notes:admin'] }];
      expect(purge?._meta?.securitySchemes ?? purge?.securitySchemes).toEqual(securitySchemes);
    });

    verifies('CLI-52', 'refreshes a token that went bad, and its person sees nothing of it', () => {
      expect(toured.refresh).toEqual({ text: 'list', authorized: [], refreshes: 1 });
      note(program.name, { refresh: yesOrNo(toured.refresh.refreshes === 1) });
    });

    verifies('CLI-53', 'gets a wider token for a tool that needs more, or says why not', () => {
      const { text, message, authorized } = toured.stepUp;
      if (stepUp === true) {
        expect([text, message]).toEqual(['purge', undefined]);
        expect(scopesOf(authorized.at(-1))).toContain('notes:admin');
      } else {
        expect([text, authorized]).toEqual(['failed', []]);
        expect(message).toMatch(stepUp);
      }
      expect(toured.afterwards).toMatchObject({ text: 'list', authorized: [] });
      note(program.name, { 'step-up': yesOrNo(text === 'purge') });
    });

    verifies('CLI-54', 'keeps its session through all of it, if the server has sessions', () => {
      if (deployment === MCP_NEST) {
        expect(toured.sessions).toEqual([]);
        return;
      }
      if (sessionPerCall) expect(toured.sessions).toHaveLength(3);
      else expect(toured.sessions).toHaveLength(1);
      note(program.name, { session: toured.sessions.length === 1 ? 'kept' : 'one per call' });
    });

    verifies('CLI-55', 'sends no DPoP proof unless it is told to', () => {
      expect(toured.hasProof).toBe(false);
      note(program.name, { 'DPoP by default': yesOrNo(toured.hasProof) });
    });
  });
});

describe.each(PROGRAMS)('$name', (program) => {
  const { document } = expectationOf(program);

  verifies('CLI-56', 'signs in as a client that the authorization server knows already', async () => {
    const { signIn: first, registered, clientIds } = await signInOnly(program, MCP_NEST, 'static');
    expect(first).toMatchObject({ text: 'list', refreshes: 0 });
    expect([registered, clientIds]).toEqual([[], ['known']]);
    note(program.name, { 'static client': yesOrNo(first.text === 'list') });
  });

  verifies('CLI-57', 'signs in by a Client ID Metadata Document, or says why not', async () => {
    const { signIn: first, registered, clientIds } = await signInOnly(program, MCP_NEST, 'document');
    if (document === true) {
      expect(first).toMatchObject({ text: 'list', refreshes: 0 });
      expect(clientIds).toEqual([CLIENT_METADATA_URL]);
    } else {
      expect([first.text, clientIds]).toEqual(['failed', []]);
      expect(first.message).toMatch(document);
    }
    expect(registered).toEqual([]);
    note(program.name, { CIMD: yesOrNo(first.text === 'list') });
  });
});

verifies('CLI-58', 'The official SDK v1 steps up if its application keeps no refresh token', async () => {
  const { stepUp, refresh } = await tour(SDK_V1_WITHOUT_REFRESH, MCP_NEST);
  expect(stepUp).toMatchObject({ text: 'purge', refreshes: 0 });
  expect(scopesOf(stepUp.authorized.at(-1))).toEqual(['notes:read', 'notes:admin']);
  // The price: a token that went bad needs the person again.
  expect(refresh).toMatchObject({ text: 'list', authorized: ['notes:read'], refreshes: 0 });
});

describe('docs/clients.md', () => {
  const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');

  /** The rows of all tables whose first column is a client, by client; the other columns by their heading. */
  function tables(): Map<string, Record<string, string>> {
    const found = new Map<string, Record<string, string>>();
    for (const [table] of page.matchAll(/^\| client .*\n(?:\|.*\n)+/gm)) {
      const [head = [], , ...rows] = table.trim().split('\n').map(cells);
      for (const [client = '', ...values] of rows) {
        const facts = Object.fromEntries(values.map((value, at) => [head[at + 1], value]));
        found.set(client, { ...found.get(client), ...facts });
      }
    }
    return found;
  }

  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());

  verifies('CLI-59', 'says of each program what the tests measured', () => {
    expect(Object.fromEntries(tables())).toEqual(Object.fromEntries(measured));
  });

  verifies('CLI-60', 'names the version of each program that the tests run', () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const { devDependencies } = JSON.parse(manifest) as { devDependencies: Record<string, string> };
    const packages = [
      '@modelcontextprotocol/client',
      '@modelcontextprotocol/sdk',
      '@modelcontextprotocol/inspector',
      'mcp-remote',
      '@ai-sdk/mcp',
    ];
    for (const name of packages) expect(page).toContain(`\`${name}\` ${String(devDependencies[name])}`);
  });

  verifies('CLI-61', 'is linked from the README, which names the same clients', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const line = /^Works with .*?\n\n/ms.exec(readme)?.[0] ?? '';
    expect(line).toContain('/docs/clients.md)');
    const names = [...page.matchAll(/^### (.+)$/gm)].map(([, name = '']) => name);
    expect(names.filter((name) => !line.toLowerCase().includes(name.toLowerCase()))).toEqual([]);
  });

  verifies('CLI-62', 'shows configurations that are valid and name the same server', () => {
    const folder = new URL('configurations/', import.meta.url);
    for (const name of readdirSync(folder)) {
      const text = readFileSync(new URL(name, folder), 'utf8');
      const { mcpServers, servers = mcpServers } = JSON.parse(text) as Record<string, object | undefined>;
      expect([name, Object.keys(servers ?? {})]).toEqual([name, ['notes']]);
      expect(text).toContain('https://api.example.com/notes');
      expect(page).toContain(`test/clients/configurations/${name}`);
    }
  });
});
