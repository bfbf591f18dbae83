import {
  Controller,
  Get,
  HttpException,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  Post,
  RequestMethod,
  type Type,
  UseGuards,
} from '@nestjs/common';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  type StreamableHttpTransportOptions,
  Tool,
} from '@rekog/mcp-nest';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AuthInfo,
  BearerAuthGuard,
  BearerAuthMiddleware,
  type McpAuthModuleOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { PLATFORMS, startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { ADMIN, NOTES, NOTES_METADATA, PRM } from '../../fixtures/resources.js';
import { ran, WhoController } from '../../fixtures/who.controller.js';
import { verifies } from '../../verifies.js';

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.count = 0;
});

const NO_TOKEN = `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}"`;

const options = (more: Partial<McpAuthModuleOptions> = {}): McpAuthModuleOptions => ({
  resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
  ...more,
});
const bearer = async (scope = 'notes:read', aud = NOTES) => ({
  authorization: `Bearer ${await as.token({ aud, scope })}`,
});
const insufficient = (scope: string) => [
  403,
  `Bearer error="insufficient_scope", scope="${scope}", resource_metadata="${NOTES_METADATA}", error_description="The access token does not grant what this operation needs"`,
  {
    error: 'insufficient_scope',
    error_description: 'The access token does not grant what this operation needs',
  },
];
const rejection = ({ status, headers, json }: HttpAnswer) => [status, headers['www-authenticate'], json];

describe.each(PLATFORMS)('routes with scopes of their own on %s', (platform) => {
  /** Each route with the scopes that it needs beside `notes:read`. */
  const ROUTES: [path: string, ...scopes: string[]][] = [
    ['/plain/bare'],
    ['/plain/method', 'm1', 'm2'],
    ['/scoped/bare', 'c1'],
    ['/scoped/method', 'c1', 'm3'],
    ['/scoped/same', 'c1'],
  ];

  @Controller('plain')
  @UseGuards(BearerAuthGuard)
  class Plain {
    @Get('bare')
    bare(): string {
      return 'ran';
    }

    @Get('method')
    @RequireScopes('m1', 'm2')
    method(): string {
      return 'ran';
    }
  }

  @Controller('scoped')
  @RequireScopes('c1')
  class Scoped {
    @Get('bare')
    bare(): string {
      return 'ran';
    }

    @Get('method')
    @RequireScopes('m3')
    method(): string {
      return 'ran';
    }

    @Get('same')
    @RequireScopes('c1')
    same(): string {
      return 'ran';
    }
  }

  verifies(['F109', 'SCP-04', 'SCP-05'], 'need the scopes of class and method, and no others', async () => {
    const app = await startCreated(options(), { platform, controllers: [Plain, Scoped] });
    for (const [path, ...scopes] of ROUTES) {
      const all = ['notes:read', ...scopes];
      expect(await app.send(path, { headers: await bearer(all.join(' ')) })).toMatchObject({
        status: 200,
        text: 'ran',
      });
      for (const lacking of all) {
        const granted = [...all.filter((scope) => scope !== lacking), 'other'].join(' ');
        const answer = await app.send(path, { headers: await bearer(granted) });
        expect([path, lacking, ...rejection(answer)]).toEqual([
          path,
          lacking,
          ...insufficient(all.join(' ')),
        ]);
      }
      const challenge = NO_TOKEN.replace('notes:read', all.join(' '));
      expect(rejection(await app.send(path))).toEqual([401, challenge, expect.anything()]);
    }
  });
});

describe.each(PLATFORMS)('what handlers throw on %s', (platform) => {
  @Controller('notes')
  @UseGuards(BearerAuthGuard)
  class Throwing {
    @Get('sync')
    sync(): never {
      throw new Error('secret');
    }

    @Get('async')
    async async(): Promise<never> {
      await Promise.resolve();
      throw new Error('secret');
    }

    @Get('own')
    own(): never {
      throw new HttpException('teapot', 418);
    }
  }

  verifies('F114', 'is answered by Nest, in time, whether authenticated early or not', async () => {
    for (const earlyAuthentication of [false, true]) {
      const app = await startCreated(options({ earlyAuthentication }), { platform, controllers: [Throwing] });
      for (const [path, status] of [
        ['/notes/sync', 500],
        ['/notes/async', 500],
        ['/notes/own', 418],
        ['/notes/nothing', 404],
      ] as const) {
        const answer = await app.send(path, { headers: await bearer() });
        expect([path, answer.status, answer.headers['www-authenticate']]).toEqual([path, status, undefined]);
        expect(answer.text).not.toContain('secret');
      }
      expect(rejection(await app.send('/notes/sync'))).toEqual([401, NO_TOKEN, expect.anything()]);
    }
  });
});

describe.each(PLATFORMS)('the middleware on %s', (platform) => {
  /** A module whose middleware stands before all routes. */
  function coveringAll(...controllers: Type[]): Type {
    @Module({ controllers })
    class Covering implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(BearerAuthMiddleware).forRoutes({ path: '{*path}', method: RequestMethod.ALL });
      }
    }
    return Covering;
  }

  verifies(['PRM-40', 'F108'], 'leaves the documents open where it stands before all routes', async () => {
    const app = await startCreated(options(), { platform, imports: [coveringAll(WhoController)] });
    for (const headers of [{}, { authorization: 'Bearer abc' }]) {
      for (const path of [`${PRM}/notes`, `${PRM}/notes/`, `${PRM}/notes?x`]) {
        const document = await app.send(path, { headers });
        expect(document).toMatchObject({ status: 200, json: { resource: NOTES } });
        expect(document.headers).not.toHaveProperty('www-authenticate');
      }
    }
    const rejected = [
      '/notes',
      '/other',
      '/',
      `${PRM}/note`,
      `${PRM}/../notes`,
      `${PRM}/notes/../../../notes`,
    ];
    for (const path of rejected) {
      const answer = await app.send(path, { method: 'POST' });
      expect([path, ...rejection(answer)]).toEqual([path, 401, NO_TOKEN, expect.anything()]);
    }
    expect(ran.count).toBe(0);
    const admitted = await app.send('/notes', { method: 'POST', headers: await bearer() });
    expect(admitted).toMatchObject({ status: 200, json: { auth: 'u1', context: 'u1' } });
  });

  verifies(['F108', 'AUD-07'], 'chooses the resource by the path, and rejects other paths', async () => {
    @Controller('admin')
    class Admin extends WhoController {}
    @Controller('other')
    class Other extends WhoController {}
    const authorizationServers = [as.issuer];
    const app = await startCreated(
      {
        resources: [
          { resource: NOTES, authorizationServers },
          { resource: ADMIN, authorizationServers },
        ],
      },
      { platform, imports: [coveringAll(WhoController, Admin, Other)] },
    );
    const status = async (path: string, aud: string) =>
      (await app.send(path, { method: 'POST', headers: await bearer('', aud), body: {} })).status;
    expect([await status('/notes', NOTES), await status('/notes', ADMIN)]).toEqual([200, 401]);
    expect([await status('/admin', ADMIN), await status('/admin', NOTES)]).toEqual([200, 401]);
    expect(ran.count).toBe(2);
    const nobodys = await app.send('/other', { method: 'POST', headers: await bearer(), body: {} });
    expect([nobodys.status, nobodys.text.includes(NOTES)]).toEqual([500, false]);
    expect(ran.count).toBe(2);
  });
});

describe.each(PLATFORMS)('a time limit of the application on %s', (platform) => {
  it('may answer while a token is verified, and the process goes on', async () => {
    const slow = { milliseconds: 100 };
    @Module({ controllers: [WhoController] })
    class Limited implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        const limit = (_: unknown, response: ServerResponse, next: () => void): void => {
          if (slow.milliseconds > 0) setTimeout(() => response.writeHead(504).end('too slow'), 20);
          next();
        };
        consumer.apply(limit, BearerAuthMiddleware).forRoutes('notes');
      }
    }
    const app = await startCreated(
      options({
        verifier: async () => {
          await new Promise((resolve) => setTimeout(resolve, slow.milliseconds));
          return null;
        },
      }),
      { platform, imports: [Limited] },
    );
    const post = async () => app.send('/notes', { method: 'POST', headers: await bearer(), body: {} });
    expect(await post()).toMatchObject({ status: 504, text: 'too slow' });
    await new Promise((resolve) => setTimeout(resolve, 150));
    slow.milliseconds = 0;
    expect((await post()).status).toBe(401);
    expect(ran.count).toBe(0);
  });
});

describe.each(PLATFORMS)('tools with scopes on %s', (platform) => {
  /** How often the tool has run. */
  let wrote = 0;

  @McpController()
  class NotesTools {
    @Tool({ name: 'write_note', description: 'Write', parameters: z.object({}) })
    @RequireScopes('notes:write')
    write() {
      wrote += 1;
      return { content: [{ type: 'text' as const, text: 'written' }] };
    }

    @Tool({ name: 'whoami', description: 'Who', parameters: z.object({}) })
    whoami(@AuthInfo('subject') subject: string) {
      return { content: [{ type: 'text' as const, text: `it is ${subject}` }] };
    }
  }

  function mcp(transportOptions: StreamableHttpTransportOptions) {
    const transport = new StreamableHttpTransport(transportOptions);
    const strategy = new McpStrategy({ name: 'n', version: '1', transports: [transport], logging: false });
    const connect = async (nest: INestApplication): Promise<void> => {
      strategy.setHttpAdapter(nest.getHttpAdapter());
      nest.connectMicroservice({ strategy });
      await nest.startAllMicroservices();
    };
    return { transport, connect };
  }

  const call = (name: string) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: {} },
  });

  function guarded(transport: StreamableHttpTransport): Type {
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class NotesEndpoint extends McpHttpControllerFor(transport) {}
    return NotesEndpoint;
  }

  beforeEach(() => {
    wrote = 0;
  });

  it.each([false, true])(
    'are authorized by the body, with early authentication: %s',
    async (earlyAuthentication) => {
      const { transport, connect } = mcp({});
      const app = await startCreated(options({ earlyAuthentication }), {
        platform,
        controllers: [guarded(transport), NotesTools],
        prepare: connect,
      });
      const post = async (scope: string) =>
        app.send('/notes', { method: 'POST', headers: await bearer(scope), body: call('write_note') });
      expect(rejection(await post('notes:read'))).toEqual(insufficient('notes:read notes:write'));
      expect(wrote).toBe(0);
      expect(await post('notes:read notes:write')).toMatchObject({ status: 200 });
      expect(wrote).toBe(1);
    },
  );

  it('are authorized before the tool runs on a route that the library mounts behind early authentication', async () => {
    const { connect } = mcp({ mount: true, endpoint: 'notes' });
    const app = await startCreated(options({ earlyAuthentication: true }), {
      platform,
      controllers: [NotesTools],
      prepare: connect,
    });
    const post = async (scope: string) =>
      app.send('/notes', { method: 'POST', headers: await bearer(scope), body: call('write_note') });
    expect(rejection(await post('notes:read'))).toEqual(insufficient('notes:read notes:write'));
    expect(wrote).toBe(0);
    expect((await post('notes:read notes:write')).text).toContain('written');
    expect(wrote).toBe(1);
  });

  verifies('TOK-10', 'need a token with every request of a session, and run for its bearer', async () => {
    const { transport, connect } = mcp({ statefulMode: true, enableJsonResponse: true });
    const app = await startCreated(options(), {
      platform,
      controllers: [guarded(transport), NotesTools],
      prepare: connect,
    });
    const initialize = {
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'test', version: '1' },
      },
    };
    const tokenless = await app.send('/notes', { method: 'POST', body: initialize });
    expect(rejection(tokenless)).toEqual([401, NO_TOKEN, expect.anything()]);
    const begun = await app.send('/notes', { method: 'POST', headers: await bearer(), body: initialize });
    const session = begun.headers['mcp-session-id'] as string;
    expect(session).toEqual(expect.any(String));
    const inSession = { 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' };
    const notification = { jsonrpc: '2.0', method: 'notifications/initialized' };
    for (const [method, body] of [
      ['POST', notification],
      ['POST', call('whoami')],
      ['GET', undefined],
      ['DELETE', undefined],
    ] as const) {
      const headers = { ...inSession, accept: 'application/json, text/event-stream' };
      const rejected = await app.send('/notes', { method, headers, body });
      expect([method, ...rejection(rejected)]).toEqual([method, 401, NO_TOKEN, expect.anything()]);
    }
    const other = await as.token({ aud: NOTES, scope: 'notes:read', sub: 'u2' });
    for (const [headers, status, text] of [
      [await bearer(), 200, 'it is u1'],
      [{ authorization: `Bearer ${other}` }, 404, 'Session not found'],
    ] as const) {
      const answer = await app.send('/notes', {
        method: 'POST',
        headers: { ...inSession, ...headers },
        body: call('whoami'),
      });
      expect(answer).toMatchObject({ status, text: expect.stringContaining(text) as string });
    }
    const ended = await app.send('/notes', {
      method: 'DELETE',
      headers: { ...inSession, ...(await bearer()) },
    });
    expect(ended.status).toBe(200);
  });
});

describe.each(PLATFORMS)('other code of the platform on %s', (platform) => {
  it('is not reached by a request that was rejected, nor answered twice', async () => {
    const seen: string[] = [];
    @Controller('notes')
    class After {
      @Post()
      post(): string {
        return 'ran';
      }
    }
    const app = await startCreated(options({ earlyAuthentication: true }), {
      platform,
      controllers: [After],
      prepare: (nest) => {
        nest.use((request: IncomingMessage, _: ServerResponse, next: () => void) => {
          seen.push(request.method ?? '');
          next();
        });
      },
    });
    expect((await app.send('/notes', { method: 'POST', body: {} })).status).toBe(401);
    expect(seen).toEqual([]);
    expect((await app.send('/notes', { method: 'POST', headers: await bearer(), body: {} })).text).toBe(
      'ran',
    );
    expect(seen).toEqual(['POST']);
  });
});
