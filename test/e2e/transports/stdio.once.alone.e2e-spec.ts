import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import type { McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { INITIALIZE, toolCall } from '../../fixtures/mcp-endpoint.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

/** Runs on what the build made. */
const SCRIPT = fileURLToPath(new URL('../../fixtures/stdio-app.mjs', import.meta.url));

type Stdio = McpAuthModuleOptions['stdio'];

const WRITER: Stdio = { subject: 'ada', clientId: 'cli', scopes: ['notes:read', 'notes:write'] };

/** The arguments of the server, with an issuer that answers everything with an error and keeps count. */
async function serverWith(
  stdio: Stdio,
  resources: object = {},
): Promise<{ args: string[]; as: LoopbackAuthorizationServer }> {
  const as = closeAfterTest(await LoopbackAuthorizationServer.start());
  const resource = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
  const options = { resources: { ...resource, ...resources }, ...(stdio && { stdio }) };
  return { args: [SCRIPT, JSON.stringify(options)], as };
}

async function connectTo(args: string[], mode: 'auto' | 'legacy' = 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StdioClientTransport({ command: process.execPath, args }));
  return closeAfterTest(client);
}

/** What a tool gives, or the error that the call is answered with. */
async function call(client: Client, name: string): Promise<unknown> {
  try {
    const { content, isError } = await client.callTool({ name, arguments: {} });
    const [first] = content;
    if (first?.type !== 'text' || isError) return { isError, content };
    return JSON.parse(first.text) as unknown;
  } catch (error) {
    return rejection(error);
  }
}

function rejection(error: unknown): unknown {
  const { code, message, data } = error as { code: number; message: string; data: unknown };
  return { code, message, data };
}

const NO_CALLER = {
  code: 401,
  message: 'This tool requires an authenticated caller. For stdio, set the option "stdio".',
  data: { error: 'missing_token' },
};

const lacking = (scope: string): unknown => ({
  code: 403,
  message: `The caller lacks scopes; this needs: ${scope}`,
  data: { error: 'insufficient_scope', scope },
});

describe('a server over stdio', () => {
  verifies(
    ['STD-01', 'STD-04', 'F96'],
    'runs handlers for the configured caller, without any request',
    async () => {
      const { args, as } = await serverWith(WRITER);
      const client = await connectTo(args);
      expect(await call(client, 'write')).toBe('written by ada');
      expect(await call(client, 'whoami')).toEqual({
        subject: 'ada',
        clientId: 'cli',
        scopes: ['notes:read', 'notes:write'],
        token: '',
        issuer: '',
        audience: [],
        claims: {},
        isClientPrincipal: false,
        resource: NOTES,
        resourceMetadataUrl: expect.any(String) as string,
      });
      expect(await call(client, 'anybody')).toBe('for ada');
      // Its neighbour needs a scope that the caller has not.
      expect(await client.readResource({ uri: 'board://front' }).catch(rejection)).toEqual(
        lacking('notes:read board:read'),
      );
      const open = await call(client, 'open');
      expect(open).toContain('PipeWrap');
      expect(open).not.toContain('TCPServerWrap');
      expect(open).not.toContain('TCPSocketWrap');
      expect(as.requests).toEqual([]);
    },
  );

  verifies('STD-04', 'starts while its authorization server is down, whatever names it', async () => {
    const { args, as } = await serverWith(WRITER);
    await as.close();
    expect(await call(await connectTo(args), 'write')).toBe('written by ada');
    const metadataUrl = `${as.issuer}/.well-known/oauth-authorization-server`;
    const { args: byUrl } = await serverWith(WRITER, {
      authorizationServers: [{ metadataUrl, trustDocumentIssuer: true }],
    });
    expect(await call(await connectTo(byUrl), 'write')).toBe('written by ada');
  });

  verifies('STD-01', 'rejects a call whose scope differs by one letter, with a JSON-RPC error', async () => {
    const { args } = await serverWith({
      scopes: ['notes:read', 'notes:writ', 'notes:write2', 'Notes:write'],
    });
    for (const mode of ['auto', 'legacy'] as const) {
      const client = await connectTo(args, mode);
      expect(await call(client, 'write')).toEqual(lacking('notes:read notes:write'));
      expect(await call(client, 'whoami')).toMatchObject({ clientId: '', isClientPrincipal: true });
    }
  });

  verifies('STD-01', 'rejects callers without the scopes of the resource', async () => {
    const { args } = await serverWith({ subject: 'ada', scopes: ['notes:write'] });
    const client = await connectTo(args);
    expect(await call(client, 'write')).toEqual(lacking('notes:read notes:write'));
    expect(await call(client, 'whoami')).toEqual(lacking('notes:read'));
  });

  verifies(['STD-01', 'F96'], 'rejects calls that need a caller if none is configured', async () => {
    for (const stdio of [undefined, 'deny'] as const) {
      const client = await connectTo((await serverWith(stdio)).args);
      expect(await call(client, 'write')).toEqual(NO_CALLER);
      expect(await call(client, 'whoami')).toEqual(NO_CALLER);
      expect(await client.readResource({ uri: 'board://front' }).catch(rejection)).toEqual(NO_CALLER);
      expect(await call(client, 'anybody')).toBe('for undefined');
      expect(await call(client, 'open')).toContain('PipeWrap');
    }
  });

  verifies(['STD-01', 'F96'], 'runs everything without a caller if the options say so', async () => {
    const client = await connectTo((await serverWith('allow')).args);
    expect(await call(client, 'write')).toBe('written by undefined');
    expect(await call(client, 'whoami')).toBeNull();
  });

  verifies('STD-01', 'takes no caller from what a client sends', async () => {
    const { args } = await serverWith(undefined);
    const client = await connectTo(args);
    const forged = { authInfo: { token: 't', clientId: 'c', scopes: ['notes:read', 'notes:write'] } };
    const params = { name: 'write', arguments: forged, _meta: { ...forged, http: forged }, ...forged };
    expect(await client.callTool(params).catch(rejection)).toEqual(NO_CALLER);
  });

  verifies('STD-01', 'writes nothing but JSON-RPC to stdout, and ends with its input', async () => {
    const { args } = await serverWith(undefined);
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    closeAfterTest({ close: async () => void child.kill('SIGKILL') });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise((resolve) => child.on('close', resolve));
    const messages = [INITIALIZE, toolCall('write', 1), toolCall('open', 2)];
    child.stdin.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
    await expect.poll(() => said.split('\n').length, { timeout: 20_000 }).toBe(4);
    child.stdin.end();
    await ended;
    const answers = said
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { jsonrpc: string; id: number; error?: unknown });
    expect(answers.map(({ jsonrpc, id }) => [jsonrpc, id])).toEqual([
      ['2.0', 0],
      ['2.0', expect.any(Number)],
      ['2.0', expect.any(Number)],
    ]);
    expect(answers.find(({ id }) => id === 1)?.error).toEqual(NO_CALLER);
  });
});
