import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Injectable, type Type, UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AllowAnonymous,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  McpHandlerSource,
  type ProtectedResourceOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { type RunningApp, start, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { LISTINGS } from '../../fixtures/listing-app.js';
import { message } from '../../fixtures/operations-app.js';
import { NOTES } from '../../fixtures/resources.js';
import { sdkController } from '../../fixtures/transport-servers.js';
import { verifies } from '../../verifies.js';

type Tool = Record<string, unknown> & { readonly name: string; readonly _meta?: Record<string, unknown> };

const LIST = message('tools/list', {});
const NO_AUTH = { type: 'noauth' };
const oauth2 = (...scopes: string[]) => ({ type: 'oauth2', scopes });

/** The result in a JSON body, or in the only event of a stream. */
function resultOf({ text, json }: HttpAnswer): Record<string, unknown> {
  const event = /^data: (.+)$/m.exec(text)?.[1] ?? 'null';
  return ((json ?? JSON.parse(event)) as { result: Record<string, unknown> }).result;
}

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

const bearer = async (scope = 'notes:read') => ({
  authorization: `Bearer ${await as.token({ aud: NOTES, scope })}`,
});

/** The schemes of each tool that a caller gets, which stand in two places. */
async function schemes(app: RunningApp, more: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const headers: Record<string, string> = { ...MCP_HEADERS, ...more };
  const post = (body: unknown) => app.send('/notes', { method: 'POST', headers, body });
  const { headers: opened } = await post(INITIALIZE);
  if (opened['mcp-session-id'] !== undefined) headers['mcp-session-id'] = String(opened['mcp-session-id']);
  const { tools } = resultOf(await post(LIST)) as { tools: Tool[] };
  for (const tool of tools) expect(tool['securitySchemes']).toEqual(tool._meta?.['securitySchemes']);
  return Object.fromEntries(tools.map(({ name, securitySchemes }) => [name, securitySchemes]));
}

describe.each(LISTINGS)('securitySchemes in lists of %s', (_, make) => {
  async function started(
    resource: Partial<ProtectedResourceOptions> = {},
    more: Partial<McpAuthModuleOptions> = {},
  ): Promise<RunningApp> {
    const { options, parts } = make();
    const resources = {
      resource: NOTES,
      authorizationServers: [as.issuer],
      requiredScopes: ['notes:read'],
      ...resource,
    };
    return start({ resources, ...options, ...more }, parts);
  }

  const CLOSED = {
    open: [oauth2('notes:read')],
    purge: [oauth2('notes:read', 'notes:admin')],
    either: [oauth2('notes:read', 'notes:a')],
    by_folder: [oauth2('notes:read')],
  };

  verifies('CLI-03', 'name the scopes of each tool, whoever asks', async () => {
    const app = await started();
    expect(await schemes(app, await bearer())).toEqual(CLOSED);
    expect(await schemes(app, await bearer('notes:read notes:admin notes:b'))).toEqual(CLOSED);
  });

  verifies('CLI-04', 'say noauth of what runs without a token, and of nothing else', async () => {
    const app = await started({ allowAnonymous: true });
    // What a function asks for needs to know a caller.
    const expected = { ...CLOSED, open: [NO_AUTH] };
    expect(await schemes(app)).toEqual(expected);
    expect(await schemes(app, await bearer())).toEqual(expected);
  });

  verifies('CLI-03', 'leave the rest of a tool as it is, and other lists', async () => {
    const app = await started({ allowAnonymous: true });
    const headers: Record<string, string> = { ...MCP_HEADERS };
    const post = (body: unknown) => app.send('/notes', { method: 'POST', headers, body });
    const { headers: opened } = await post(INITIALIZE);
    if (opened['mcp-session-id'] !== undefined) headers['mcp-session-id'] = String(opened['mcp-session-id']);
    const [tool] = resultOf(await post(LIST))['tools'] as [Tool];
    expect(tool).toMatchObject({ description: 'Öffnen, 开, 🔓', _meta: { 'example.com/a': 1 } });
    for (const method of ['prompts/list', 'resources/list', 'resources/templates/list'])
      expect((await post(message(method, {}))).text).not.toContain('securitySchemes');
  });

  verifies('CLI-03', 'stand in lists that hide tools too, and nowhere if the option says so', async () => {
    const hiding = await started({}, { listPolicy: 'hide' });
    expect(await schemes(hiding, await bearer())).toEqual({
      open: CLOSED.open,
      by_folder: CLOSED.by_folder,
    });
    const app = await started({}, { toolSecuritySchemes: false });
    const headers: Record<string, string> = { ...MCP_HEADERS, ...(await bearer()) };
    const post = (body: unknown) => app.send('/notes', { method: 'POST', headers, body });
    const { headers: opened } = await post(INITIALIZE);
    if (opened['mcp-session-id'] !== undefined) headers['mcp-session-id'] = String(opened['mcp-session-id']);
    const { tools } = resultOf(await post(LIST)) as { tools: Tool[] };
    expect(tools.filter((tool) => 'securitySchemes' in tool)).toEqual([]);
  });

  verifies('CLI-05', 'are taken by the official client v1, which reads those in _meta', async () => {
    const app = await started();
    const client = new ClientV1({ name: 'v1', version: '1.0.0' });
    const requestInit = { headers: await bearer() };
    await client.connect(new TransportV1(new URL('/notes', app.origin), { requestInit }));
    const { tools } = await client.listTools();
    expect(Object.fromEntries(tools.map(({ name, _meta }) => [name, _meta?.['securitySchemes']]))).toEqual(
      CLOSED,
    );
    // Checked against the output schema of the list.
    const result = await client.callTool({ name: 'open', arguments: {} });
    expect(result.structuredContent).toEqual({ done: 'open' });
    await client.close();
  });

  it.each(['auto', 'legacy'] as const)(
    '[CLI-05] are taken by the official client v2 in its mode %s, which reads those in _meta',
    async (mode) => {
      const app = await started();
      const client = new Client({ name: 'v2', version: '1.0.0' }, { versionNegotiation: { mode } });
      const requestInit = { headers: await bearer() };
      await client.connect(new StreamableHTTPClientTransport(new URL('/notes', app.origin), { requestInit }));
      const { tools } = await client.listTools();
      expect(Object.fromEntries(tools.map(({ name, _meta }) => [name, _meta?.['securitySchemes']]))).toEqual(
        CLOSED,
      );
      const result = await client.callTool({ name: 'open', arguments: {} });
      expect(result.structuredContent).toEqual({ done: 'open' });
      await client.close();
    },
  );
});

const parameters = z.object({});
const nothing = () => ({ content: [] });

@McpController()
class Mixed {
  @Tool({ name: 'public', description: 'Public', parameters })
  public() {
    return nothing();
  }

  @Tool({ name: 'better', description: 'Better with a caller', parameters })
  @AllowAnonymous()
  better() {
    return nothing();
  }

  @Tool({ name: 'scoped', description: 'Scoped', parameters })
  @RequireScopes('notes:write', 'offline_access')
  scoped() {
    return nothing();
  }

  @Tool({
    name: 'own',
    description: 'With schemes of its own, which no handler declares',
    parameters,
    _meta: { securitySchemes: [oauth2('own')], 'example.com/a': 1 },
  })
  own() {
    return nothing();
  }
}

/** The guard on the tools lets nobody past who has no token, unless the tool says otherwise. */
@McpController()
@UseGuards(BearerAuthGuard)
class Guarded {
  @Tool({ name: 'guarded', description: 'Guarded', parameters })
  guarded() {
    return nothing();
  }

  @Tool({ name: 'guarded_better', description: 'Guarded, better with a caller', parameters })
  @AllowAnonymous()
  better() {
    return nothing();
  }
}

describe('securitySchemes of tools of @rekog/mcp-nest', () => {
  async function started(
    resource: Partial<ProtectedResourceOptions>,
    more: Partial<McpAuthModuleOptions> = {},
    decorators: readonly ClassDecorator[] = [],
  ): Promise<RunningApp> {
    const { controller, connect } = mcpEndpoint({}, ...decorators);
    const resources = { resource: NOTES, authorizationServers: [as.issuer], ...resource };
    return start({ resources, ...more }, { controllers: [controller, Mixed, Guarded], prepare: connect });
  }

  /** What the schemes say of each tool is what a caller without a token finds. */
  async function expectTrue(app: RunningApp, said: Record<string, unknown>): Promise<void> {
    for (const [name, list] of Object.entries(said)) {
      const { status, text } = await app.send('/notes', {
        method: 'POST',
        headers: MCP_HEADERS,
        body: toolCall(name),
      });
      const runs = status === 200 && text.includes('"result"');
      expect([name, runs]).toEqual([
        name,
        (list as { type: string }[]).some(({ type }) => type === 'noauth'),
      ]);
    }
  }

  const OPEN = {
    public: [NO_AUTH],
    better: [NO_AUTH, { type: 'oauth2' }],
    scoped: [oauth2('notes:write')],
    own: [NO_AUTH],
    guarded: [NO_AUTH],
    guarded_better: [NO_AUTH, { type: 'oauth2' }],
  };

  verifies('CLI-04', 'are both for a tool with @AllowAnonymous(), at an open resource', async () => {
    const app = await started({ allowAnonymous: true });
    expect(await schemes(app)).toEqual(OPEN);
    await expectTrue(app, OPEN);
    const early = await started({ allowAnonymous: true }, { earlyAuthentication: true });
    expect(await schemes(early)).toEqual(OPEN);
    await expectTrue(early, OPEN);
    const required = await started({ allowAnonymous: true, requiredScopes: ['notes:read'] });
    expect(await schemes(required)).toEqual({
      ...OPEN,
      better: [NO_AUTH, oauth2('notes:read')],
      scoped: [oauth2('notes:read', 'notes:write')],
      guarded_better: [NO_AUTH, oauth2('notes:read')],
    });
  });

  verifies('CLI-04', 'know a route that is open, and the guard on a tool behind it', async () => {
    const app = await started({}, {}, [AllowAnonymous()]);
    const said = { ...OPEN, guarded: [{ type: 'oauth2' }] };
    expect(await schemes(app)).toEqual(said);
    expect(await schemes(app, await bearer())).toEqual(said);
    await expectTrue(app, said);
  });

  verifies('CLI-04', 'say noauth of no tool where every request needs a token', async () => {
    const closed = {
      public: [{ type: 'oauth2' }],
      better: [{ type: 'oauth2' }],
      scoped: [oauth2('notes:write')],
      own: [{ type: 'oauth2' }],
      guarded: [{ type: 'oauth2' }],
      guarded_better: [{ type: 'oauth2' }],
    };
    expect(await schemes(await started({}), await bearer())).toEqual(closed);
    // An open route is behind the early authentication.
    const early = await started({}, { earlyAuthentication: true }, [AllowAnonymous()]);
    expect(await schemes(early, await bearer())).toEqual(closed);
    await expectTrue(early, closed);
  });
});

describe('securitySchemes of other servers', () => {
  @Injectable()
  class Declared extends McpHandlerSource {
    declarations() {
      return [
        { kind: 'tool', name: 'public', requirements: [] },
        { kind: 'tool', name: 'better', requirements: [], allowAnonymous: true },
        { kind: 'tool', name: 'scoped', requirements: ['notes:write'] },
      ] as const;
    }
  }

  const asked: unknown[] = [];
  const tools = [{ name: 'public' }, { name: 'better' }, { name: 'scoped' }, { name: 'unknown' }, {}, null];
  const answer = { jsonrpc: '2.0', id: 1, result: { tools } };
  const plain: Type = sdkController(async (request, response) => {
    await Promise.resolve();
    asked.push(request.headers['accept-encoding']);
    const isStream = request.method === 'GET';
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
    response.end(isStream ? `id: 1\ndata: ${JSON.stringify(answer)}\n\n` : JSON.stringify(answer));
  });

  const started = (options: Partial<McpAuthModuleOptions> = {}, resource: object = {}): Promise<RunningApp> =>
    start(
      {
        resources: {
          resource: NOTES,
          authorizationServers: [as.issuer],
          requiredScopes: ['notes:read'],
          allowAnonymous: true,
          ...resource,
        },
        ...options,
      },
      { controllers: [plain], providers: [Declared] },
    );

  const marked = (name: string, securitySchemes: unknown) => ({
    name,
    securitySchemes,
    _meta: { securitySchemes },
  });

  const MARKED = [
    marked('public', [NO_AUTH]),
    marked('better', [NO_AUTH, oauth2('notes:read')]),
    marked('scoped', [oauth2('notes:read', 'notes:write')]),
    marked('unknown', [NO_AUTH]),
    {},
    null,
  ];

  verifies(['CLI-03', 'CLI-04'], 'come from their declarations', async () => {
    const app = await started();
    const { json } = await app.send('/notes', { method: 'POST', headers: MCP_HEADERS, body: LIST });
    expect(json).toEqual({ ...answer, result: { tools: MARKED } });
  });

  verifies('CLI-06', 'are written into no other answer, which may be compressed', async () => {
    const app = await started();
    const gzip = { ...MCP_HEADERS, 'accept-encoding': 'gzip' };
    const whole = JSON.stringify(answer);
    asked.length = 0;
    const others = [toolCall('public'), message('prompts/list', {}), message('tools/lists', {}), INITIALIZE];
    for (const body of others)
      expect((await app.send('/notes', { method: 'POST', headers: gzip, body })).text).toBe(whole);
    const stream = { ...gzip, accept: 'text/event-stream' };
    expect((await app.send('/notes', { headers: stream })).text).toContain(whole);
    expect(asked).toEqual(['gzip', 'gzip', 'gzip', 'gzip', 'gzip']);
    asked.length = 0;
    await app.send('/notes', { method: 'POST', headers: gzip, body: LIST });
    expect(asked).toEqual([undefined]);
  });

  verifies('CLI-03', 'are written into a list that a stream resends', async () => {
    const app = await started();
    const resumed = { ...MCP_HEADERS, accept: 'text/event-stream', 'last-event-id': '0' };
    const { text } = await app.send('/notes', { headers: resumed });
    expect(JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? 'null')).toEqual({
      ...answer,
      result: { tools: MARKED },
    });
  });

  verifies('CLI-03', 'are written after early authentication, and in a batch', async () => {
    const app = await started({ earlyAuthentication: true });
    const older = { ...MCP_HEADERS, 'mcp-protocol-version': '2025-03-26' };
    for (const body of [LIST, [LIST]]) {
      const { json } = await app.send('/notes', { method: 'POST', headers: older, body });
      expect(json).toEqual({ ...answer, result: { tools: MARKED } });
    }
  });

  it('rejects an allowAnonymous that is no boolean at bootstrap', async () => {
    @Injectable()
    class Wrong extends McpHandlerSource {
      declarations() {
        return [{ kind: 'tool', name: 'a', requirements: [], allowAnonymous: 'yes' }] as never;
      }
    }
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const failure = await startFailure({ resources }, { controllers: [plain], providers: [Wrong] });
    expect(failure.message).toContain('Wrong.declarations()[0].allowAnonymous: must be true or false');
  });
});
