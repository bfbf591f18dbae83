import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { Controller, Get, Post, Req, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AllowAnonymous,
  BearerAuthGuard,
  LIFECYCLE_METHODS,
  type McpAuthModuleOptions,
  type ProtectedResourceOptions,
} from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer, HttpRequestOptions } from '../../fixtures/http.js';
import {
  LIFECYCLE_MOUNTINGS,
  type LifecycleMounting,
  LifecycleTools,
} from '../../fixtures/lifecycle-endpoints.js';
import { INITIALIZE, MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { SESSION_MOUNTINGS } from '../../fixtures/session-endpoints.js';
import { openStream, settlesWithin } from '../../fixtures/streams.js';
import { makeV1, ran } from '../../fixtures/transport-servers.js';
import { verifies } from '../../verifies.js';

const { noToken, noTokenFor, invalidToken, insufficientScope } = notesRejections('notes:read');

const NO_STREAM = {
  status: 405,
  challenge: undefined,
  json: {
    error: 'method_not_allowed',
    error_description: 'A stream needs an access token, or a session that was opened without one',
  },
};

const message = (method: unknown, params?: object): object => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  ...(params && { params }),
});
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };
const LIST = message('tools/list');
const PING = message('ping');
/** What clients of MCP 2026-07-28 begin with. */
const NEW_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const newHeaders = (method: string): Record<string, string> => ({
  ...MCP_HEADERS,
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
});

let as: LoopbackAuthorizationServer;
let reader: string;
let writer: string;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
  reader = await as.token({ aud: NOTES, scope: 'notes:read' });
  writer = await as.token({ aud: NOTES, scope: 'notes:read notes:write' });
});

afterAll(async () => {
  await as.close();
});

beforeEach(() => {
  ran.length = 0;
});

function options(
  more: Partial<McpAuthModuleOptions> = {},
  resource: Partial<ProtectedResourceOptions> = {},
): McpAuthModuleOptions {
  return {
    resources: {
      resource: NOTES,
      authorizationServers: [as.issuer],
      requiredScopes: ['notes:read'],
      anonymousMethods: LIFECYCLE_METHODS,
      ...resource,
    },
    ...more,
  };
}

function send(app: RunningApp, body: unknown, bearer?: string, more: HttpRequestOptions = {}) {
  const headers = {
    ...MCP_HEADERS,
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    ...more.headers,
  };
  return app.send('/notes', { method: 'POST', body, ...more, headers });
}

/** As bytes, for what no object can say. */
const sendText = (app: RunningApp, text: string, type = 'application/json'): Promise<HttpAnswer> =>
  send(app, text, undefined, { headers: { 'content-type': type } });

describe.each(PLATFORMS)('a resource with anonymousMethods, on %s', (platform) => {
  const start = async (
    mounting: LifecycleMounting,
    resource: Partial<ProtectedResourceOptions> = {},
  ): Promise<RunningApp> => {
    return closeAfterTest(
      await startApp(options(mounting.options, resource), { ...mounting.make(), platform }),
    );
  };

  describe.each(LIFECYCLE_MOUNTINGS.map((mounting) => [mounting.way, mounting] as const))(
    '%s',
    (_, mounting) => {
      verifies('CLI-20', 'lets a client connect and list tools without a token', async () => {
        const app = await start(mounting);
        expect((await send(app, INITIALIZE)).text).toContain('"serverInfo"');
        expect((await send(app, INITIALIZED)).status).toBe(202);
        expect((await send(app, PING)).status).toBe(200);
        const listed = (await send(app, LIST)).text;
        for (const name of ['list', 'whoami', 'write']) expect(listed).toContain(`"name":"${name}"`);
        expect(ran).toEqual([]);
      });

      verifies('WAY-42', 'checks a deeply nested body as any other', async () => {
        const app = await start(mounting);
        // The body parser of Express takes 100 kB, that of Fastify 1 MiB.
        const depth = platform === 'fastify' ? 200_000 : 45_000;
        const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;
        const text = (body: object) => JSON.stringify(body).replace('"nested"', nested);
        const ping = await sendText(app, text(message('ping', { deep: 'nested' })));
        // The request is handed on. SDK v2 itself serializes bodies, which is recursive.
        const failure = { jsonrpc: '2.0', error: { code: -32603, message: 'Internal server error' }, id: 1 };
        if (mounting.way.startsWith('SDK v2')) expect(ping.json).toEqual(failure);
        else expect(ping.status).toBe(200);
        const call = text(toolCall('whoami', 1, { deep: 'nested' }));
        expect(rejectedAs(await sendText(app, call))).toEqual(noToken);
        expect(ran).toEqual([]);
      });

      verifies(
        'CLI-21',
        'asks for sign-in at the first protected tool, with all scopes of the call',
        async () => {
          const app = await start(mounting);
          expect(rejectedAs(await send(app, toolCall('whoami')))).toEqual(noToken);
          expect(rejectedAs(await send(app, toolCall('write')))).toEqual(
            noTokenFor('notes:read notes:write'),
          );
          expect(rejectedAs(await send(app, toolCall('unknown')))).toEqual(noToken);
          expect(ran).toEqual([]);
          expect((await send(app, toolCall('whoami'), reader)).text).toContain('"text":"j1"');
          expect(rejectedAs(await send(app, toolCall('write'), reader))).toEqual(
            insufficientScope('notes:read notes:write'),
          );
          expect((await send(app, toolCall('write'), writer)).text).toContain('write');
        },
      );

      verifies('CLI-22', 'runs a tool that allows anonymous callers, and not its neighbour', async () => {
        const app = await start(mounting);
        expect((await send(app, toolCall('list'))).text).toContain('list');
        expect(ran).toEqual(['list']);
        for (const name of ['List', 'list ', 'lis', '__proto__', 'constructor'])
          expect(rejectedAs(await send(app, toolCall(name)))).toEqual(noToken);
        expect(ran).toEqual(['list']);
      });

      verifies('CLI-23', 'rejects a bad token and one without the scopes of the resource', async () => {
        const app = await start(mounting);
        const unscoped = await as.token({ aud: NOTES, scope: 'other' });
        for (const body of [INITIALIZE, LIST, toolCall('list')]) {
          expect(rejectedAs(await send(app, body, 'abc'))).toEqual(invalidToken);
          expect(rejectedAs(await send(app, body, unscoped))).toMatchObject({ status: 403 });
          const basic = { headers: { authorization: 'Basic dTpw' } };
          expect(rejectedAs(await send(app, body, undefined, basic))).toEqual(noToken);
        }
        expect(ran).toEqual([]);
      });

      verifies('CLI-24', 'opens a batch only if every message in it is open', async () => {
        const app = await start(mounting);
        const batch = (...bodies: unknown[]) =>
          send(app, bodies, undefined, { headers: { 'mcp-protocol-version': '2025-03-26' } });
        const open = await batch(PING, toolCall('list', 2));
        expect(open.headers['www-authenticate']).toBeUndefined();
        expect([401, 403, 405]).not.toContain(open.status);
        ran.length = 0;
        const call = toolCall('write', 2);
        for (const bodies of [
          [PING, call],
          [call, PING],
          [toolCall('list'), call],
          [INITIALIZE, call, LIST],
        ])
          expect(rejectedAs(await batch(...bodies))).toEqual(noTokenFor('notes:read notes:write'));
        for (const bodies of [
          [PING, toolCall('whoami', 2)],
          [],
          [[PING]],
          [PING, null],
          [PING, 7],
          [PING, {}],
        ])
          expect(rejectedAs(await batch(...bodies))).toEqual(noToken);
        expect(ran).toEqual([]);
      });

      verifies('CLI-25', 'opens no other spelling of a method and no other form of a message', async () => {
        const app = await start(mounting);
        const closed = [
          message('Initialize'),
          message('PING'),
          message(' ping'),
          message('ping/'),
          message(['ping']),
          message({ toString: 'ping' }),
          message(null),
          message('logging/setLevel', { level: 'debug' }),
          message('resources/subscribe', { uri: 'board://front' }),
          message('completion/complete', { ref: { type: 'ref/prompt', name: 'greet' } }),
          message('subscriptions/listen', { notifications: {} }),
          message('tasks/list'),
          message('unknown'),
          { id: 1, method: 'ping' },
          { jsonrpc: 2, id: 1, method: 'ping' },
          { jsonrpc: '1.0', id: 1, method: 'ping' },
          { jsonrpc: '2.0', id: 1, result: {} },
          { jsonrpc: '2.0', id: 1, params: { method: 'ping' } },
          { note: 'not MCP' },
          {},
        ];
        for (const body of closed) expect([body, rejectedAs(await send(app, body))]).toEqual([body, noToken]);
        expect(ran).toEqual([]);
      });

      verifies('CLI-25', 'checks the message that the server gets, whatever else its text says', async () => {
        const app = await start(mounting);
        const params = '"params":{"name":"whoami","arguments":{}}';
        const call = '"method":"tools/call"';
        // JSON keeps the last of two keys.
        const last = await sendText(app, `{"jsonrpc":"2.0","id":1,"method":"ping",${params},${call}}`);
        expect(rejectedAs(last)).toEqual(noToken);
        await sendText(app, `{"jsonrpc":"2.0","id":1,${call},${params},"method":"ping"}`);
        await send(app, message('ping', { name: 'whoami', method: 'tools/call' }));
        await send(app, {
          ...INITIALIZE,
          params: { ...(INITIALIZE as { params: object }).params, ...toolCall('whoami') },
        });
        const inherited = await sendText(app, `{"__proto__":{"jsonrpc":"2.0","method":"ping"},"id":1}`);
        expect([400, 401]).toContain(inherited.status);
        expect(ran).toEqual([]);
      });

      verifies('CLI-26', 'opens only the path of the resource, in its one spelling', async () => {
        const app = await start(mounting);
        const at = async (path: string): Promise<HttpAnswer> =>
          app.send(path, { method: 'POST', headers: MCP_HEADERS, body: PING });
        expect((await at('/notes?a=b')).status).toBe(200);
        for (const path of [
          '/notes/',
          '/Notes',
          '/%6Eotes',
          '//notes',
          '/notes/x',
          '/notes;x',
          '/x/../notes',
        ])
          expect([path, [401, 404]]).toEqual([path, expect.arrayContaining([(await at(path)).status])]);
      });

      verifies('CLI-26', 'opens no body that is not a parsed message', async () => {
        const app = await start(mounting);
        const ping = JSON.stringify(PING);
        for (const type of ['text/plain', 'application/octet-stream', 'application/x-www-form-urlencoded']) {
          const answer = await sendText(app, ping, type);
          // Fastify rejects types that it has no parser for before any guard.
          expect([401, ...(platform === 'fastify' ? [415] : [])]).toContain(answer.status);
        }
        for (const text of ['{"jsonrpc":"2.0"', '"ping"', '1']) {
          const answer = await sendText(app, text);
          expect([400, 401]).toContain(answer.status);
        }
        expect(rejectedAs(await app.send('/notes', { method: 'POST', headers: MCP_HEADERS }))).toMatchObject({
          status: platform === 'fastify' ? expect.any(Number) : 401,
        });
        expect(ran).toEqual([]);
      });

      verifies('CLI-27', 'opens neither streams nor other methods of HTTP without a session', async () => {
        const app = await start(mounting);
        const stream = await send(app, undefined, undefined, { method: 'GET' });
        expect(rejectedAs(stream)).toEqual(NO_STREAM);
        expect(stream.headers).toMatchObject({ allow: 'POST', 'cache-control': 'no-store' });
        const bare = { method: 'GET', headers: { accept: 'text/event-stream' } };
        expect(rejectedAs(await app.send('/notes', bare))).toEqual(noToken);
        const json = { method: 'GET', headers: { accept: 'application/json' } };
        expect(rejectedAs(await send(app, undefined, undefined, json))).toEqual(noToken);
        for (const id of ['abc', '__proto__', '00000000-0000-4000-8000-000000000000'])
          for (const method of ['GET', 'DELETE']) {
            const of = { method, headers: { 'mcp-session-id': id } };
            expect(rejectedAs(await send(app, undefined, undefined, of))).toEqual(noToken);
          }
        expect(rejectedAs(await send(app, undefined, undefined, { method: 'DELETE' }))).toEqual(noToken);
        expect(ran).toEqual([]);
      });
    },
  );

  verifies('CLI-20', 'lets a client of MCP 2026-07-28 discover the server and list tools', async () => {
    for (const mounting of LIFECYCLE_MOUNTINGS.filter(({ way }) => !way.includes('v1'))) {
      const app = await start(mounting);
      const ask = (method: string, params: object = {}) => {
        const name = (params as { name?: string }).name;
        const headers = { ...newHeaders(method), ...(name !== undefined && { 'mcp-name': name }) };
        return send(app, message(method, { ...params, _meta: NEW_META }), undefined, { headers });
      };
      expect((await ask('server/discover')).status).toBe(200);
      expect((await ask('tools/list')).text).toContain('"name":"write"');
      expect((await ask('tools/call', { name: 'list', arguments: {} })).text).toContain('list');
      ran.length = 0;
      expect(rejectedAs(await ask('tools/call', { name: 'write', arguments: {} }))).toEqual(
        noTokenFor('notes:read notes:write'),
      );
      const hidden = message('tools/call', { name: 'write', arguments: {}, _meta: NEW_META });
      const lying = await send(app, hidden, undefined, { headers: newHeaders('tools/list') });
      expect(rejectedAs(lying)).toEqual(noTokenFor('notes:read notes:write'));
      expect(ran).toEqual([]);
    }
  });

  verifies('CLI-26', 'opens no route that is not MCP, whatever a request says of itself', async () => {
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class RestController {
      @Get('drafts')
      drafts(): string[] {
        ran.push('drafts');
        return ['draft'];
      }

      @Post('drafts')
      add(@Req() { body }: { body: unknown }): unknown {
        ran.push('add');
        return body;
      }

      @Get('catalogue')
      @AllowAnonymous()
      catalogue(): string[] {
        return ['note'];
      }
    }
    for (const earlyAuthentication of [false, true]) {
      const app = closeAfterTest(
        await startApp(options({ earlyAuthentication }), { controllers: [RestController], platform }),
      );
      for (const headers of [{}, { accept: 'text/event-stream' }, { ...MCP_HEADERS, accept: '*/*' }])
        expect(rejectedAs(await app.send('/notes/drafts', { headers }))).toEqual(noToken);
      for (const body of [{ title: 'x' }, { title: 'x', ...PING }, [PING], INITIALIZE]) {
        const add = { method: 'POST', body, headers: MCP_HEADERS };
        expect(rejectedAs(await app.send('/notes/drafts', add))).toEqual(noToken);
      }
      expect(ran).toEqual([]);
      const open = await app.send('/notes/catalogue');
      if (earlyAuthentication) expect(rejectedAs(open)).toEqual(noToken);
      else expect(open.json).toEqual(['note']);
    }
  });

  describe.each([
    ['behind the guard', {}],
    ['with early authentication', { earlyAuthentication: true }],
    ['with tool challenges', { earlyAuthentication: true, toolChallenge: 'result' }],
  ] as const)('a session that was opened without a token, %s', (_, more) => {
    const inSession = (session: string): HttpRequestOptions => ({ headers: { 'mcp-session-id': session } });

    verifies('WAY-44', 'stays with its client when a sign-in is rejected', async () => {
      const { controller, connect } = mcpEndpoint({ statefulMode: true });
      const parts = { controllers: [controller, LifecycleTools] };
      const app = closeAfterTest(await startApp(options(more), { ...parts, prepare: connect, platform }));
      const session = String((await send(app, INITIALIZE)).headers['mcp-session-id']);
      const anonymous = await openStream(app.origin, '/notes', {
        headers: { ...MCP_HEADERS, accept: 'text/event-stream', 'mcp-session-id': session },
      });
      expect(anonymous.status).toBe(200);
      const rejected = await send(app, toolCall('write'), reader, inSession(session));
      if ('toolChallenge' in more) expect(rejected.text).toContain('insufficient_scope');
      else expect(rejectedAs(rejected)).toEqual(insufficientScope('notes:read notes:write'));
      expect((await send(app, toolCall('list'), undefined, inSession(session))).text).toContain('list');
      expect(await settlesWithin(50, anonymous.ended)).toBe(false);
      expect((await send(app, toolCall('write'), writer, inSession(session))).text).toContain('write');
      expect(await settlesWithin(1000, anonymous.ended)).toBe(true);
      expect((await send(app, toolCall('list'), undefined, inSession(session))).status).toBe(404);
      expect((await send(app, PING, reader, inSession(session))).status).toBe(200);
    });
  });

  verifies(['WAY-44', 'CLI-28'], 'passes a session on if only its handler reads the body', async () => {
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID });
    await makeV1().connect(transport);
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      if (request.headers['x-fail'] === undefined) void transport.handleRequest(request, response);
      else response.writeHead(400).end();
    };
    // A session is opened by a body, so it is read for a caller without a token, and kept unread for others.
    const handler = (request: IncomingMessage & { body?: unknown }, response: ServerResponse): void => {
      if (request.body === undefined) serve(request, response);
      else void transport.handleRequest(request, response, request.body);
    };
    const given = options({ earlyAuthentication: true });
    const app = closeAfterTest(
      await startApp(given, { prepare: (nest) => void nest.use('/notes', handler), platform }),
    );
    const session = String((await send(app, INITIALIZE)).headers['mcp-session-id']);
    const inSession = (more: object = {}) => ({ headers: { 'mcp-session-id': session, ...more } });
    expect((await send(app, PING, reader, inSession({ 'x-fail': '1' }))).status).toBe(400);
    expect((await send(app, PING, undefined, inSession())).status).toBe(200);
    expect((await send(app, PING, reader, inSession())).status).toBe(200);
    expect((await send(app, PING, undefined, inSession())).status).toBe(404);
    expect((await send(app, PING, reader, inSession())).status).toBe(200);
  });

  verifies('CLI-20', 'opens nothing more than the list says', async () => {
    const [mounting] = LIFECYCLE_MOUNTINGS;
    const app = await start(mounting!, { anonymousMethods: ['initialize', 'ping'] });
    expect((await send(app, PING)).status).toBe(200);
    expect(rejectedAs(await send(app, LIST))).toEqual(noToken);
    expect(rejectedAs(await send(app, INITIALIZED))).toEqual(noToken);
    const none = await start(mounting!, { anonymousMethods: [] });
    for (const body of [INITIALIZE, PING, toolCall('list')])
      expect(rejectedAs(await send(none, body))).toEqual(noToken);
    const stream = await send(none, undefined, undefined, { method: 'GET' });
    expect(rejectedAs(stream)).toEqual(noToken);
  });
});

describe.each(
  PLATFORMS.flatMap((platform) =>
    SESSION_MOUNTINGS.map((mounting) => [mounting.way, platform, mounting] as const),
  ),
)('a session that was opened without a token, of %s, on %s', (_, platform, mounting) => {
  const start = async (more: Partial<McpAuthModuleOptions> = {}): Promise<RunningApp> => {
    return closeAfterTest(
      await startApp(options({ ...mounting.options, ...more }), { ...mounting.parts(), platform }),
    );
  };
  const inSession = (session: string, method = 'POST'): HttpRequestOptions => ({
    method,
    headers: { 'mcp-session-id': session },
  });
  const open = async (app: RunningApp, bearer?: string): Promise<string> => {
    const opened = await send(app, INITIALIZE, bearer);
    expect(opened.status).toBe(200);
    const session = String(opened.headers['mcp-session-id']);
    expect((await send(app, INITIALIZED, bearer, inSession(session))).status).toBe(202);
    return session;
  };
  const stream = (app: RunningApp, session: string, bearer?: string) =>
    openStream(app.origin, '/notes', {
      headers: {
        ...MCP_HEADERS,
        accept: 'text/event-stream',
        'mcp-session-id': session,
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      },
    });

  verifies(['CLI-28', 'SES-02'], 'is kept when its client signs in, and its open streams end', async () => {
    const app = await start();
    const session = await open(app);
    const anonymous = await stream(app, session);
    expect(anonymous.status).toBe(200);
    expect(await settlesWithin(50, anonymous.ended)).toBe(false);
    expect(rejectedAs(await send(app, toolCall('whoami'), undefined, inSession(session)))).toEqual(noToken);
    expect(await settlesWithin(50, anonymous.ended)).toBe(false);
    expect((await send(app, toolCall('whoami'), reader, inSession(session))).text).toContain('it is u1');
    expect(await settlesWithin(1000, anonymous.ended)).toBe(true);
    expect(anonymous.text()).not.toContain('u1');
    const own = await stream(app, session, reader);
    expect(own.status).toBe(200);
    // Nothing of the session is left for callers without a token.
    for (const method of ['GET', 'DELETE'])
      expect(rejectedAs(await send(app, undefined, undefined, inSession(session, method)))).toEqual(noToken);
    const resumed = { method: 'GET', headers: { 'mcp-session-id': session, 'last-event-id': 'x_1' } };
    expect(rejectedAs(await send(app, undefined, undefined, resumed))).toEqual(noToken);
    expect((await send(app, PING, undefined, inSession(session))).status).toBe(404);
    expect(await settlesWithin(50, own.ended)).toBe(false);
    expect((await send(app, PING, reader, inSession(session))).status).toBe(200);
    own.abort();
  });

  verifies('CLI-28', 'passes to no second caller', async () => {
    const app = await start();
    const session = await open(app);
    expect((await send(app, PING, reader, inSession(session))).status).toBe(200);
    const other = await as.token({ aud: NOTES, scope: 'notes:read', sub: 'u2' });
    expect((await send(app, PING, other, inSession(session))).status).toBe(404);
  });

  verifies('CLI-28', 'is not reached without a token if a caller with a token opened it', async () => {
    const app = await start();
    const session = await open(app, reader);
    for (const method of ['GET', 'DELETE'])
      expect(rejectedAs(await send(app, undefined, undefined, inSession(session, method)))).toEqual(noToken);
    expect((await send(app, LIST, undefined, inSession(session))).status).toBe(404);
    expect((await send(app, PING, reader, inSession(session))).status).toBe(200);
  });

  verifies('CLI-28', 'may be ended by its client, and then is open to none', async () => {
    const app = await start();
    const session = await open(app);
    expect((await send(app, undefined, undefined, inSession(session, 'DELETE'))).status).toBe(200);
    expect(rejectedAs(await send(app, undefined, undefined, inSession(session, 'GET')))).toEqual(noToken);
  });

  it('has no stream without a token if sessions are not bound', async () => {
    const app = await start({ sessionBinding: false });
    const session = await open(app);
    expect((await send(app, LIST, undefined, inSession(session))).status).toBe(200);
    expect(rejectedAs(await send(app, undefined, undefined, inSession(session, 'GET')))).toEqual(noToken);
  });
});
