import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Body, Controller, Injectable, Post, UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BearerAuthGuard, McpHandlerSource, RequireScopes } from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { mcpEndpoint } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES } from '../../fixtures/resources.js';
import { ran as sdkRan, SDKS } from '../../fixtures/sdk-endpoints.js';
import { ran, ScopedTools } from '../../fixtures/self-mounted.js';
import { verifies } from '../../verifies.js';

/** A name that no header can hold as it is. */
const UMLAUT = 'l\u00f6schen';

@McpController()
class Umlauts {
  @Tool({ name: UMLAUT, description: 'Delete' })
  @RequireScopes('notes:admin')
  erase() {
    ran.push(UMLAUT);
    return { content: [{ type: 'text' as const, text: 'erased' }] };
  }
}

@Controller('rest')
@UseGuards(BearerAuthGuard)
class Rest {
  @Post()
  echo(@Body() body: unknown): unknown {
    return body;
  }
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const encoded = (name: string): string => `=?base64?${Buffer.from(name).toString('base64')}?=`;

const message = (
  method: string,
  params: object,
  meta: object | null = META,
  id: number | null = 7,
): object => ({
  jsonrpc: '2.0',
  ...(id !== null && { id }),
  method,
  params: { ...params, ...(meta && { _meta: meta }) },
});

const call = (name: string, meta?: object | null, id?: number | null) =>
  message('tools/call', { name, arguments: {} }, meta, id);

type Headers = Record<string, string | string[]>;

/** What a client of 2026-07-28 sends beside a call of this tool. */
const mirrored = (name: string, more: Headers = {}): Headers => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': name,
  ...more,
});

const without = (headers: Headers, name: string): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name));

const DESCRIPTION = 'The headers of the request do not say the same as its body';

const mismatch = (id: number | null = 7) => ({
  status: 400,
  challenge: undefined,
  json: {
    jsonrpc: '2.0',
    id,
    error: {
      code: -32020,
      message: DESCRIPTION,
      data: { error: 'invalid_request', error_description: DESCRIPTION },
    },
  },
});

const { insufficientScope, invalidToken } = notesRejections('notes:read');

let as: LoopbackAuthorizationServer;
let reader: string;
let admin: string;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
  reader = await as.token({ aud: NOTES, scope: 'notes:read' });
  admin = await as.token({ aud: NOTES, scope: 'notes:read notes:admin' });
});

afterAll(() => as.close());

const options = () => ({
  resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
});

const poster =
  (app: RunningApp) =>
  (bearer: string, body: unknown, headers: Headers, path = '/notes') =>
    app.send(path, { method: 'POST', headers: { authorization: `Bearer ${bearer}`, ...headers }, body });

describe.each(PLATFORMS)('headers and body of an MCP message, on %s', (platform) => {
  let app: RunningApp;
  let post: ReturnType<typeof poster>;

  beforeAll(async () => {
    const endpoint = mcpEndpoint();
    const controllers = [endpoint.controller, ScopedTools, Umlauts, Rest];
    app = await startApp(options(), { controllers, prepare: endpoint.connect, platform });
    post = poster(app);
  });

  afterAll(() => app.close());

  beforeEach(() => {
    ran.length = 0;
  });

  const right = mirrored('purge');
  /** What disagrees with a call of purge, or is missing. */
  const DISAGREEING: readonly [string, Headers][] = [
    ['another name', mirrored('open')],
    ['the name in another case', mirrored('Purge')],
    ['a part of the name', mirrored('purg')],
    ['another name, encoded', mirrored(encoded('open'))],
    ['an encoding that is none', mirrored('=?base64?cHVyZ2U?=')],
    ['an encoding with spaces', mirrored('=?base64?cHVy Z2U=?=')],
    ['an encoding of what is no text', mirrored('=?base64?/w==?=')],
    ['an encoding by another name', mirrored('=?BASE64?cHVyZ2U=?=')],
    ['an encoding of an encoding', mirrored(encoded(encoded('purge')))],
    ['no name', without(right, 'mcp-name')],
    ['an empty name', mirrored('')],
    ['two names', mirrored('', { 'mcp-name': ['purge', 'purge'] })],
    ['two names, one of another call', mirrored('', { 'mcp-name': ['purge', 'open'] })],
    ['another method', mirrored('purge', { 'mcp-method': 'tools/list' })],
    ['the method encoded', mirrored('purge', { 'mcp-method': encoded('tools/call') })],
    ['no method', without(right, 'mcp-method')],
    ['two methods', mirrored('purge', { 'mcp-method': ['tools/call', 'tools/call'] })],
    ['an older version', mirrored('purge', { 'mcp-protocol-version': '2025-11-25' })],
    ['a later version', mirrored('purge', { 'mcp-protocol-version': '2026-07-29' })],
    ['no version', without(right, 'mcp-protocol-version')],
    ['two versions', mirrored('purge', { 'mcp-protocol-version': ['2026-07-28', '2026-07-28'] })],
    ['two versions, one older', mirrored('purge', { 'mcp-protocol-version': ['2025-11-25', '2026-07-28'] })],
  ];

  verifies(['SCP-10', 'H08'], 'must agree, whatever the scopes', async () => {
    for (const [what, headers] of DISAGREEING) {
      for (const bearer of [reader, admin]) {
        expect([what, rejectedAs(await post(bearer, call('purge'), headers))]).toEqual([what, mismatch()]);
      }
    }
    expect(ran).toEqual([]);
    expect(rejectedAs(await post(reader, call('purge'), right))).toEqual(insufficientScope('notes:admin'));
    for (const headers of [right, mirrored(encoded('purge')), mirrored('purge\t')]) {
      expect((await post(admin, call('purge'), headers)).status).toBe(200);
    }
    expect((await post(admin, call(UMLAUT), mirrored(encoded(UMLAUT)))).status).toBe(200);
    expect(rejectedAs(await post(admin, call(UMLAUT), mirrored(UMLAUT)))).toEqual(mismatch());
    expect(ran).toEqual(['purge', 'purge', 'purge', UMLAUT]);
  });

  verifies(['SCP-10', 'H08'], 'are of the later version, if either says so', async () => {
    const older = { 'io.modelcontextprotocol/protocolVersion': '2025-11-25' };
    for (const meta of [older, null]) {
      const headers = mirrored('open');
      expect(rejectedAs(await post(admin, call('purge', meta), headers))).toEqual(mismatch());
    }
    const versions = ['2025-11-25', '2026-07-28'];
    const twice = mirrored('purge', { 'mcp-protocol-version': versions });
    expect(rejectedAs(await post(admin, call('purge', null), twice))).toEqual(mismatch());
    const later = { ...META, 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    expect(rejectedAs(await post(admin, call('purge', later), {}))).toEqual(mismatch());
    expect(ran).toEqual([]);
  });

  verifies('SCP-10', 'are compared after the token is checked', async () => {
    expect(rejectedAs(await post('abc', call('purge'), mirrored('open')))).toEqual(invalidToken);
  });

  verifies('SCP-10', 'have a name for what reads or gets something by its name', async () => {
    const kinds: [string, object, string][] = [
      ['prompts/get', { name: 'greet' }, 'greet'],
      ['resources/read', { uri: 'note://1' }, 'note://1'],
      ...['get', 'update', 'cancel'].map((verb): [string, object, string] => [
        `tasks/${verb}`,
        { taskId: 't1' },
        't1',
      ]),
    ];
    const granted = await as.token({ aud: NOTES, scope: 'notes:read notes:greet' });
    for (const [method, params, name] of kinds) {
      const body = message(method, params);
      const agreeing = mirrored(name, { 'mcp-method': method });
      expect([
        method,
        rejectedAs(await post(granted, body, { ...agreeing, 'mcp-name': `${name}x` })),
      ]).toEqual([method, mismatch()]);
      expect(rejectedAs(await post(granted, body, without(agreeing, 'mcp-name')))).toEqual(mismatch());
      expect((await post(granted, body, agreeing)).text).not.toContain('-32020');
    }
    const list = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
    expect((await post(reader, message('tools/list', {}), list)).status).toBe(200);
    expect((await post(reader, message('tools/list', {}), { ...list, 'mcp-name': 'any' })).status).toBe(200);
  });

  verifies('SCP-10', 'may be absent beside a notification, and agree if present', async () => {
    const version = { 'mcp-protocol-version': '2026-07-28' };
    const body = call('purge', META, null);
    for (const wrong of [{ 'mcp-name': 'open' }, { 'mcp-method': 'tools/list' }]) {
      expect(rejectedAs(await post(admin, body, { ...version, ...wrong }))).toEqual(mismatch(null));
    }
    const notification = message('notifications/initialized', {}, META, null);
    expect((await post(reader, notification, version)).status).toBe(202);
    expect(ran).toEqual([]);
  });

  verifies(
    ['SCP-11', 'H08'],
    'are told apart by the body alone in older versions, and without one',
    async () => {
      const spoofed = { 'mcp-name': 'open', 'mcp-method': 'tools/list' };
      for (const version of ['2025-11-25', '2025-06-18', '2025-03-26', undefined]) {
        const headers: Headers = {
          ...spoofed,
          ...(version !== undefined && { 'mcp-protocol-version': version }),
        };
        const rejected = insufficientScope('notes:read notes:admin');
        expect(rejectedAs(await post(reader, call('purge', null), headers))).toEqual(rejected);
        expect((await post(admin, call('purge', null), headers)).status).toBe(200);
      }
      expect(ran).toEqual(Array.from({ length: 4 }, () => 'purge'));
    },
  );

  verifies('SCP-10', 'are not compared at a route whose body is no such message', async () => {
    const { id, ...rest } = call('purge') as { id: number };
    for (const body of [
      { name: 'open' },
      { ...rest, id, jsonrpc: '1.0' },
      { ...rest, id, jsonrpc: undefined },
      { ...rest, id, method: 5 },
      { params: { _meta: META } },
    ]) {
      const answer = await post(admin, body, mirrored('open'), '/rest');
      expect([answer.status, answer.json]).toEqual([201, JSON.parse(JSON.stringify(body))]);
    }
  });

  verifies('SCP-10', 'agree in requests of the official client', async () => {
    const client = new Client({ name: 'v2', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
    const headers = { authorization: `Bearer ${admin}` };
    const url = new URL(`${app.origin}/notes`);
    const sent: Record<string, string>[] = [];
    const recording: typeof fetch = (input, init) => {
      sent.push(Object.fromEntries(new Headers(init?.headers)));
      return fetch(input, init);
    };
    const requestInit = { headers };
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit, fetch: recording }));
    for (const name of ['purge', UMLAUT]) await client.callTool({ name, arguments: {} });
    await client.close();
    expect(ran).toEqual(['purge', UMLAUT]);
    expect(sent.map((each) => each['mcp-name'])).toEqual(
      expect.arrayContaining(['purge', encoded(UMLAUT)]) as string[],
    );
  });
});

describe.each(SDKS)('headers and body of a message to %s', (_, controller) => {
  @Injectable()
  class Handlers extends McpHandlerSource {
    declarations() {
      return [{ kind: 'tool', name: 'write', requirements: ['notes:admin'] }] as const;
    }
  }

  it('are compared before the server sees it', async () => {
    const app = await startApp(options(), { controllers: [controller], providers: [Handlers] });
    const post = poster(app);
    sdkRan.length = 0;
    expect(rejectedAs(await post(admin, call('write'), mirrored('open')))).toEqual(mismatch());
    const legacy = { 'mcp-protocol-version': '2025-11-25', 'mcp-name': 'open' };
    expect(rejectedAs(await post(reader, call('write', null), legacy))).toEqual(
      insufficientScope('notes:read notes:admin'),
    );
    expect(sdkRan).toEqual([]);
    expect((await post(admin, call('write', null), legacy)).status).toBe(200);
    expect(sdkRan).toEqual(['write']);
    await app.close();
  });
});
