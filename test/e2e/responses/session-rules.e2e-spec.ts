import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import { All, Controller, Get, Req, Res, type Type, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BearerAuthGuard, type McpAuthModuleOptions, ProtectedResource } from 'nestjs-mcp-auth';
import { type RunningApp, start, startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { type HttpAnswer, sendRaw } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES } from '../../fixtures/resources.js';
import { SDKS } from '../../fixtures/sdk-endpoints.js';
import { SESSION_MOUNTINGS, WhoTools } from '../../fixtures/session-endpoints.js';
import { headerPlaces, SESSION_HEADS } from '../../fixtures/shared-sessions.js';
import { verifies } from '../../verifies.js';

const { noToken } = notesRejections('notes:read');

type Responded = ServerResponse & { readonly raw?: ServerResponse; hijack?(): void };

type Requested = IncomingMessage & { readonly raw?: IncomingMessage };

describe('a session', () => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  const token = (claims: object = {}): Promise<string> =>
    as.token({ aud: [NOTES, ADMIN], scope: 'notes:read', ...claims });

  const options = (): McpAuthModuleOptions => ({
    resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
  });

  async function ask(
    app: RunningApp,
    method: string,
    more: { bearer?: string; session?: string; body?: unknown; path?: string; headers?: object } = {},
  ): Promise<HttpAnswer> {
    const headers = {
      ...MCP_HEADERS,
      authorization: `Bearer ${more.bearer ?? (await token())}`,
      ...(more.session !== undefined && { 'mcp-session-id': more.session }),
      ...more.headers,
    };
    return app.send(more.path ?? '/notes', { method, headers, body: more.body });
  }

  /** A transport of somebody's own: its requests are answered with what they say of the session. */
  function ownTransport(
    path: string,
    send: (response: ServerResponse, id: string) => void,
    sessions = new Set<string>(),
    ...decorators: ClassDecorator[]
  ): Type {
    @Controller(path)
    @UseGuards(BearerAuthGuard)
    class OwnTransport {
      @All()
      handle(@Req() request: Requested, @Res() response: Responded): void {
        response.hijack?.();
        const [given, node] = [request.raw ?? request, response.raw ?? response];
        const ids = headerPlaces(given, 'mcp-session-id');
        if (sessions.has(String(ids[0])) || ids.some((id) => sessions.has(String(id)))) {
          node.end(`known ${String(ids)}`);
          return;
        }
        if (ids[0] === undefined || ids[0] === '') {
          const id = randomUUID();
          sessions.add(id);
          send(node, id);
        } else node.statusCode = 404;
        node.end(`unknown ${String(headerPlaces(given, 'last-event-id')[0])}`);
      }
    }
    for (const decorate of decorators) decorate(OwnTransport);
    return OwnTransport;
  }

  for (const [way, send] of SESSION_HEADS) {
    verifies('SES-02', `is bound if a transport sends its id by ${way}`, async () => {
      const app = await start(options(), { controllers: [ownTransport('notes', send)] });
      for (const headers of [{}, { 'mcp-session-id': '' }]) {
        const opened = await ask(app, 'POST', { body: INITIALIZE, headers });
        const session = String(opened.headers['mcp-session-id']);
        expect(session).toMatch(/^[0-9a-f-]{36}$/);
        const text = `known ${session},${session},${session}`;
        expect(await ask(app, 'POST', { session, body: {} })).toMatchObject({ status: 200, text });
        const stolen = { session, bearer: await token({ sub: 'u2' }), headers: { 'last-event-id': '7' } };
        for (const method of ['POST', 'GET', 'DELETE'])
          expect(await ask(app, method, stolen)).toMatchObject({ status: 404, text: 'unknown undefined' });
      }
    });
  }

  verifies('SES-02', 'is not reached by another caller who sends a header named __proto__', async () => {
    const app = await start(options(), {
      controllers: [ownTransport('notes', (response, id) => response.setHeader('mcp-session-id', id))],
    });
    const opened = await ask(app, 'POST', { body: INITIALIZE });
    const session = String(opened.headers['mcp-session-id']);
    const bearer = await token({ sub: 'u2' });
    for (const method of ['POST', 'GET', 'DELETE']) {
      const lines = [
        `${method} /notes HTTP/1.1\r\nHost: x\r\nConnection: close`,
        `Authorization: Bearer ${bearer}`,
        `__proto__: x\r\nMcp-Session-Id: ${session}\r\nLast-Event-ID: 7\r\n\r\n`,
      ];
      const answer = await sendRaw(app.origin, lines.join('\r\n'));
      expect(answer).toMatch(/^HTTP\/1\.1 404 [^]*unknown undefined/);
    }
  });

  verifies('SES-02', 'is bound if only the handler reads the body', async () => {
    for (const earlyAuthentication of [false, true]) {
      const app = await startCreated(
        { ...options(), earlyAuthentication },
        {
          controllers: [ownTransport('notes', (response, id) => response.setHeader('mcp-session-id', id))],
          factoryOptions: { bodyParser: false },
          platform: 'express',
        },
      );
      const opened = await ask(app, 'POST', { body: INITIALIZE });
      const session = String(opened.headers['mcp-session-id']);
      expect((await ask(app, 'POST', { session, body: toolCall('x') })).status).toBe(200);
      const bearer = await token({ sub: 'u2' });
      expect((await ask(app, 'POST', { session, bearer, body: toolCall('x') })).status).toBe(404);
    }
  });

  verifies('SES-02', 'is not bound by a rejected request', async () => {
    const app = await start(options(), {
      controllers: [
        ownTransport('notes', (response, id) => response.writeHead(400, { 'mcp-session-id': id })),
      ],
    });
    const session = String((await ask(app, 'POST', { body: INITIALIZE })).headers['mcp-session-id']);
    expect((await ask(app, 'POST', { session, body: {} })).status).toBe(404);
  });

  verifies(['SES-02', 'F93'], 'of one resource is unknown on another', async () => {
    const sessions = new Set<string>();
    const send = (response: ServerResponse, id: string) => response.setHeader('mcp-session-id', id);
    const resource = (name: string, url: string) => ({
      name,
      resource: url,
      authorizationServers: [as.issuer],
    });
    const app = await start(
      { resources: [resource('notes', NOTES), resource('admin', ADMIN)] },
      {
        controllers: [
          ownTransport('notes', send, sessions, ProtectedResource('notes')),
          ownTransport('admin', send, sessions, ProtectedResource('admin')),
        ],
      },
    );
    const opened = await ask(app, 'POST', { body: INITIALIZE });
    const session = String(opened.headers['mcp-session-id']);
    expect((await ask(app, 'POST', { session, body: {} })).status).toBe(200);
    expect((await ask(app, 'POST', { session, body: {}, path: '/admin' })).status).toBe(404);
  });

  verifies(['SES-02', 'H09'], 'is not resumed by others with the id of one of its events', async () => {
    const mounting = SESSION_MOUNTINGS.find(({ way }) => way.startsWith('SDK v1'));
    const app = await start(options(), mounting?.parts() ?? {});
    const opened = await ask(app, 'POST', { body: INITIALIZE });
    const session = String(opened.headers['mcp-session-id']);
    await ask(app, 'POST', { session, body: { jsonrpc: '2.0', method: 'notifications/initialized' } });
    const answer = await ask(app, 'POST', { session, body: toolCall('whoami') });
    const [, event = ''] = /^id: (\S+)/m.exec(answer.text) ?? [];
    expect(event).not.toBe('');
    const headers = { 'last-event-id': event };
    const bearer = await token({ sub: 'u2' });
    const [stolen, unknown] = [
      await ask(app, 'GET', { session, bearer, headers }),
      await ask(app, 'GET', { session: randomUUID(), bearer }),
    ];
    expect([stolen.status, stolen.text]).toEqual([404, unknown.text]);
    const own = String((await ask(app, 'POST', { bearer, body: INITIALIZE })).headers['mcp-session-id']);
    const resume = async (by: string, id: string): Promise<() => string> => {
      const request = get(`${app.origin}/notes`, {
        agent: false,
        headers: {
          ...MCP_HEADERS,
          ...headers,
          authorization: `Bearer ${by}`,
          'mcp-session-id': id,
        },
      });
      closeAfterTest({ close: async () => void request.destroy() });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(200);
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      return () => text;
    };
    const byStranger = await resume(bearer, own);
    const byOwner = await resume(await token(), session);
    await expect.poll(byOwner).toContain('it is u1');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(byStranger()).toBe('');
  });

  const modern = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'write',
    'last-event-id': '1',
  };
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const modernCall = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'write', arguments: {}, _meta: meta },
  };

  verifies('SES-04', 'does not exist in 2026-07-28 on SDK v2, which ignores its headers', async () => {
    const controller = SDKS.find(([name]) => name === 'SDK v2')?.[1];
    const app = await start(options(), { controllers: controller ? [controller] : [] });
    for (const session of ['x', randomUUID(), undefined]) {
      const more = { headers: modern, ...(session !== undefined && { session }) };
      const answer = await ask(app, 'POST', { ...more, body: modernCall });
      expect([answer.status, answer.headers['mcp-session-id']]).toEqual([200, undefined]);
      expect(answer.text).toContain('written');
      for (const method of ['GET', 'DELETE']) {
        expect((await ask(app, method, more)).status).toBe(405);
        expect(rejectedAs(await app.send('/notes', { method, headers: modern }))).toEqual(noToken);
      }
    }
  });

  verifies(
    'SES-04',
    'does not exist in 2026-07-28 on @rekog/mcp-nest, with sessions for other clients and without',
    async () => {
      for (const statefulMode of [false, true]) {
        const endpoint = mcpEndpoint({ statefulMode });
        const app = await start(options(), {
          controllers: [endpoint.controller, WhoTools],
          prepare: endpoint.connect,
        });
        const more = { headers: { ...modern, 'mcp-name': 'whoami' }, session: 'x' };
        const body = { ...modernCall, params: { ...modernCall.params, name: 'whoami' } };
        const answer = await ask(app, 'POST', { ...more, body });
        expect([answer.status, answer.headers['mcp-session-id']]).toEqual([200, undefined]);
        expect(answer.text).toContain('it is u1');
        for (const method of ['GET', 'DELETE']) {
          expect((await ask(app, method, more)).status).toBe(statefulMode ? 404 : 405);
          expect(rejectedAs(await app.send('/notes', { method, headers: modern }))).toEqual(noToken);
        }
      }
    },
  );

  it('leaves the session headers of other routes alone', async () => {
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class Rest {
      @Get()
      list(@Req() request: Requested): unknown {
        const node = request.raw ?? request;
        return {
          url: node.url,
          session: headerPlaces(node, 'mcp-session-id'),
          event: headerPlaces(node, 'last-event-id')[0],
        };
      }
    }
    const app = await start(options(), { controllers: [Rest] });
    const answer = await ask(app, 'GET', {
      path: '/notes?sessionId=5&x=%20y',
      headers: { 'last-event-id': '7' },
    });
    expect(answer.json).toMatchObject({ url: '/notes?sessionId=5&x=%20y', event: '7' });
  });
});
