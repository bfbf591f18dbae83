import {
  All,
  Controller,
  type INestApplication,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestApplicationOptions,
  type NestModule,
  Req,
  Res,
  type Type,
} from '@nestjs/common';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  BearerAuthMiddleware,
  type McpAuthModuleOptions,
  McpHandlerSource,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { type Platform, PLATFORMS, type RunningApp, startCreated } from '../../fixtures/app.js';
import type { HttpRequestOptions } from '../../fixtures/http.js';
import { MCP_HEADERS } from '../../fixtures/mcp-endpoint.js';
import { message } from '../../fixtures/operations-app.js';
import { ISSUER, NOTES, NOTES_METADATA, offlineResource } from '../../fixtures/resources.js';
import { makeV1, makeV2, ran } from '../../fixtures/transport-servers.js';
import { verifies } from '../../verifies.js';

type Requested = IncomingMessage & { readonly raw?: IncomingMessage; body?: unknown };
type Responded = ServerResponse & { readonly raw?: ServerResponse; hijack?(): void };
type Handler = (request: Requested, response: Responded) => void;

/** "write" is declared by no source. */
@Injectable()
class Declared extends McpHandlerSource {
  declarations() {
    return [
      { kind: 'tool', name: 'purge', requirements: ['notes:admin'] },
      { kind: 'tool', name: 'list', requirements: [] },
    ] as const;
  }
}

const v2 = toNodeHandler(createMcpHandler(makeV2));

/** Servers of both SDKs, which are handed the parsed body, and which read the request themselves where there is none. */
const SERVERS: readonly [string, Handler][] = [
  ['SDK v2', (request, response) => void v2(request as Parameters<typeof v2>[0], response, request.body)],
  [
    'SDK v1',
    (request, response) => {
      const transport = new StreamableHTTPServerTransport();
      const serve = async () => {
        await makeV1().connect(transport);
        await transport.handleRequest(request, response, request.body);
      };
      void serve();
    },
  ],
];

interface Way {
  readonly way: string;
  readonly platforms: readonly Platform[];
  readonly factoryOptions?: NestApplicationOptions;
  readonly imports?: (handler: Handler) => Type[];
  readonly prepare?: (app: INestApplication, handler: Handler) => void;
}

/** A module whose middleware stands before `/notes`. */
function covering(chain: unknown[], controllers: Type[] = []): Type {
  @Module({ controllers })
  class Covering implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer.apply(...(chain as Type[])).forRoutes('notes');
    }
  }
  return Covering;
}

function controllerOf(handler: Handler): Type {
  @Controller('notes')
  @SkipBearerAuth()
  class Endpoint {
    @All()
    serve(@Req() request: Requested, @Res() response: Responded): void {
      response.hijack?.();
      const node = request.raw ?? request;
      (node as { body?: unknown }).body = request.body;
      handler(node, response.raw ?? response);
    }
  }
  return Endpoint;
}

interface Fastify {
  all(path: string, options: object, handler: (request: Requested, reply: Responded) => void): void;
}

function fastifyRoute(app: INestApplication, handler: Handler, options: object = {}): void {
  const fastify = app.getHttpAdapter().getInstance() as Fastify;
  fastify.all('/notes', options, (request, reply) => {
    reply.hijack?.();
    const node = request.raw ?? request;
    (node as { body?: unknown }).body = request.body;
    handler(node, reply.raw ?? reply);
  });
}

const bearerAuthOf = (app: INestApplication) => {
  const middleware = app.get(BearerAuthMiddleware);
  return middleware.use.bind(middleware);
};

const byHand = (app: INestApplication, handler: Handler): void => {
  // Fastify takes one function at a time.
  app.use('/notes', bearerAuthOf(app));
  app.use('/notes', handler);
};

const WAYS: readonly Way[] = [
  { way: 'app.use(path, bearerAuth, handler)', platforms: PLATFORMS, prepare: byHand },
  {
    way: 'app.use(path, bearerAuth, handler) with rawBody',
    platforms: PLATFORMS,
    factoryOptions: { rawBody: true },
    prepare: byHand,
  },
  {
    way: 'app.use(path, bearerAuth) before a Nest route',
    platforms: PLATFORMS,
    imports: (handler) => [moduleOf(handler)],
    prepare: (app) => void app.use('/notes', bearerAuthOf(app)),
  },
  {
    way: 'consumer.apply(BearerAuthMiddleware, handler)',
    platforms: PLATFORMS,
    imports: (handler) => [covering([BearerAuthMiddleware, handler])],
  },
  {
    way: 'consumer.apply(BearerAuthMiddleware) before a Nest route',
    platforms: PLATFORMS,
    imports: (handler) => [covering([BearerAuthMiddleware], [controllerOf(handler)])],
  },
  {
    way: 'consumer.apply(BearerAuthMiddleware) before a route of the platform',
    platforms: ['fastify'],
    imports: () => [covering([BearerAuthMiddleware])],
    prepare: (app, handler) => {
      fastifyRoute(app, handler);
    },
  },
  {
    way: 'bearerAuth as a hook of a route of the platform',
    platforms: ['fastify'],
    prepare: (app, handler) => {
      fastifyRoute(app, handler, { onRequest: bearerAuthOf(app) });
    },
  },
];

function moduleOf(handler: Handler): Type {
  @Module({ controllers: [controllerOf(handler)] })
  class Routes {}
  return Routes;
}

const call = (name: string) => JSON.stringify(message('tools/call', { name, arguments: {} }));

const insufficient = {
  status: 403,
  challenge: `Bearer error="insufficient_scope", scope="notes:admin", resource_metadata="${NOTES_METADATA}", error_description="The access token does not grant what this operation needs"`,
  error: 'insufficient_scope',
};
const undeclared = { status: 403, challenge: undefined, error: 'forbidden_tool' };
const notJson = { status: 415, challenge: undefined, error: 'unsupported_media_type' };
const noMessage = { status: 400, challenge: undefined, error: 'invalid_request' };
const fault = { status: 500, challenge: undefined, error: 'server_error' };

async function post(app: RunningApp, body: unknown, more: HttpRequestOptions = {}) {
  const headers = {
    ...MCP_HEADERS,
    'content-type': 'application/json',
    authorization: 'Bearer read',
    ...more.headers,
  };
  const {
    status,
    headers: answered,
    json,
  } = await app.send('/notes', { method: 'POST', ...more, headers, body });
  const challenge = answered['www-authenticate'];
  const { error } = (json ?? {}) as { error?: string | { data?: { error?: string } } };
  return { status, challenge, error: typeof error === 'object' ? error.data?.error : error };
}

beforeEach(() => {
  ran.length = 0;
});

describe.each(PLATFORMS)('an operation in a body behind the middleware on %s', (platform) => {
  function start(
    { factoryOptions, imports, prepare }: Omit<Way, 'way' | 'platforms'>,
    handler: Handler,
    more: Partial<McpAuthModuleOptions> = {},
  ) {
    // The token is the last part of the scope that it grants.
    const verifier = (token: string) => ({ iss: ISSUER, aud: NOTES, sub: 'u1', scope: `notes:${token}` });
    const options = {
      resources: offlineResource(NOTES),
      verifier,
      undeclaredTools: 'deny',
      ...more,
    } as const;
    return startCreated(options, {
      platform,
      providers: [Declared],
      ...(factoryOptions && { factoryOptions }),
      ...(imports && { imports: imports(handler) }),
      prepare: (app) => prepare?.(app, handler),
    });
  }

  const ways = WAYS.filter(({ platforms }) => platforms.includes(platform));

  for (const [sdk, handler] of SERVERS)
    for (const way of ways)
      verifies('WAY-02', `is authorized before a tool of ${sdk} runs: ${way.way}`, async () => {
        const app = await start(way, handler);
        expect(await post(app, call('purge'))).toEqual(insufficient);
        expect(await post(app, call('write'))).toEqual(undeclared);
        for (const headers of [
          { 'content-type': 'application/json; charset=utf-8' },
          { 'content-type': 'Application/JSON' },
          { 'transfer-encoding': 'chunked' },
        ])
          expect([headers, await post(app, call('purge'), { headers })]).toEqual([headers, insufficient]);
        const old = { headers: { 'mcp-protocol-version': '2025-03-26' } };
        expect(await post(app, `[${call('list')},${call('purge')}]`, old)).toEqual(insufficient);
        expect(ran).toEqual([]);
        expect(await post(app, call('list'))).toMatchObject({ status: 200 });
        const headers = { authorization: 'Bearer admin' };
        expect(await post(app, call('purge'), { headers })).toMatchObject({ status: 200 });
        const chunked = { ...headers, 'transfer-encoding': 'chunked' };
        const padded = JSON.stringify(
          message('tools/call', { name: 'purge', arguments: { x: 'x'.repeat(90_000) } }),
        );
        expect(await post(app, padded, { headers: chunked })).toMatchObject({ status: 200 });
        expect(ran).toEqual(['list', 'purge', 'purge']);
      });

  for (const way of ways)
    verifies('WAY-02', `is rejected if the body cannot be read: ${way.way}`, async () => {
      const app = await start(way, SERVERS[0]![1]);
      const type = (value: string) => ({ headers: { 'content-type': value } });
      for (const other of [
        'text/plain',
        'application/xml',
        'application/vnd.api+json',
        'multipart/form-data',
      ])
        expect([other, await post(app, call('list'), type(other))]).toEqual([other, notJson]);
      const typeless = await app.send('/notes', {
        method: 'POST',
        headers: { ...MCP_HEADERS, authorization: 'Bearer read' },
        body: Buffer.from(call('list')),
      });
      expect(typeless.status).toBe(415);
      for (const body of ['{', '"x"', '5'])
        expect([body, (await post(app, body)).status]).toEqual([body, 400]);
      const zipped = gzipSync(call('purge'));
      const compressed = await post(app, zipped, { headers: { 'content-encoding': 'gzip' } });
      expect(compressed).toEqual(platform === 'express' ? insufficient : noMessage);
      // Node's client says nothing of the length of such bodies by itself.
      const sized = (method: string, body: string) =>
        post(app, body, { method, headers: { 'content-length': String(body.length) } });
      for (const method of ['GET', 'DELETE']) {
        expect([method, await sized(method, call('purge'))]).toEqual([method, insufficient]);
        expect([method, (await sized(method, '{')).status]).toEqual([method, 400]);
      }
      expect(ran).toEqual([]);
      // Nothing is read for who has no token.
      const anonymous = await post(app, '{', { headers: { authorization: 'Basic a' } });
      expect(anonymous.status).toBe(way.imports && platform === 'express' && !way.prepare ? 400 : 401);
    });

  verifies('WAY-02', 'is not missed in a request without a body', async () => {
    const seen: string[] = [];
    const handler: Handler = (request, response) => {
      seen.push(String(request.method));
      response.writeHead(200).end('{}');
    };
    for (const way of ways) {
      const app = await start(way, handler);
      for (const [method, headers] of [
        ['GET', {}],
        ['HEAD', {}],
        ['DELETE', {}],
        ['DELETE', { 'content-length': '0' }],
        ['POST', { 'content-length': '0' }],
      ] as const) {
        const answer = await app.send('/notes', {
          method,
          headers: { authorization: 'Bearer read', ...headers },
        });
        expect([way.way, method, answer.status]).toEqual([way.way, method, 200]);
      }
    }
    expect(seen).toHaveLength(5 * ways.length);
  });

  verifies('WAY-02', 'leaves the bytes to what comes next if the platform reads them later', async () => {
    const read: unknown[] = [];
    const handler: Handler = (request, response) => {
      read.push(request.body);
      response.writeHead(200).end('{}');
    };
    for (const way of ways) {
      const app = await start(way, handler);
      const body = { ...message('tools/call', { name: 'list', arguments: { text: 'ä'.repeat(40_000) } }) };
      expect((await post(app, JSON.stringify(body))).status).toBe(200);
      expect(read.pop()).toEqual(body);
    }
  });

  verifies('WAY-02', 'is authorized for anonymous callers too', async () => {
    for (const way of ways) {
      const app = await start(way, SERVERS[0]![1], {
        resources: { ...offlineResource(NOTES), allowAnonymous: true },
      });
      const send = (name: string) =>
        app.send('/notes', {
          method: 'POST',
          headers: { ...MCP_HEADERS, 'content-type': 'application/json' },
          body: call(name),
        });
      expect([way.way, (await send('purge')).status]).toEqual([way.way, 401]);
      expect([way.way, (await send('write')).status]).toEqual([way.way, 403]);
      expect(ran).toEqual([]);
      expect([way.way, (await send('list')).status]).toEqual([way.way, 200]);
      expect(ran.splice(0)).toEqual(['list']);
    }
  });

  it('does not reach a handler whose next takes no errors', async () => {
    const app = await start(
      {
        prepare: (nest, handler) => {
          const bearerAuth = bearerAuthOf(nest);
          nest.use('/notes', (request: Requested, response: Responded) => {
            bearerAuth(request, response, () => {
              handler(request, response);
            });
          });
        },
      },
      (_, response) => {
        ran.push('handler');
        response.end('{}');
      },
    );
    expect(await post(app, '{')).toEqual(noMessage);
    expect((await post(app, `{"x":"${'x'.repeat(2_000_000)}"}`)).status).toBe(400);
    expect(ran).toEqual([]);
    expect((await post(app, call('list'))).status).toBe(200);
  });
});

verifies(
  'WAY-02',
  'a body that no parser of the application reads is rejected with 500 on Express',
  async () => {
    const app = await startCreated(
      {
        resources: offlineResource(NOTES),
        verifier: () => ({ iss: ISSUER, aud: NOTES, sub: 'u1', scope: 'notes:admin' }),
      },
      {
        platform: 'express',
        providers: [Declared],
        factoryOptions: { bodyParser: false },
        prepare: (nest) => {
          byHand(nest, SERVERS[0]![1]);
        },
      },
    );
    expect(await post(app, call('list'))).toEqual(fault);
    expect(ran).toEqual([]);
  },
);

verifies(
  'WAY-02',
  'early authentication on Fastify authorizes before a handler among the middleware',
  async () => {
    const app = await startCreated(
      {
        resources: offlineResource(NOTES),
        verifier: (token: string) => ({ iss: ISSUER, aud: NOTES, sub: 'u1', scope: `notes:${token}` }),
        earlyAuthentication: true,
      },
      {
        platform: 'fastify',
        providers: [Declared],
        prepare: (nest) => {
          nest.use('/notes', SERVERS[0]![1]);
        },
      },
    );
    expect(await post(app, call('purge'))).toEqual(insufficient);
    expect(ran).toEqual([]);
    expect((await post(app, call('list'))).status).toBe(200);
    expect(ran).toEqual(['list']);
  },
);

/** Status of a POST of HTTP/2 to `/notes`: such a request has no `Transfer-Encoding`, and here no `Content-Length`. */
async function postByHttp2(origin: string, token: string, body: string): Promise<number> {
  const session = connect(origin);
  const request = session.request({
    ':method': 'POST',
    ':path': '/notes',
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
    accept: MCP_HEADERS.accept,
    'mcp-protocol-version': MCP_HEADERS['mcp-protocol-version'],
  });
  try {
    return await new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (headers) => {
        resolve(Number(headers[':status']));
      });
      request.end(body);
    });
  } finally {
    session.destroy();
  }
}

describe('an operation in a body of unknown length on Fastify', () => {
  const early: readonly Way[] = [
    {
      way: 'early authentication before a handler among the middleware',
      platforms: ['fastify'],
      prepare: (app, handler) => void app.use('/notes', handler),
    },
    {
      way: 'early authentication before a Nest route',
      platforms: ['fastify'],
      imports: (handler) => [moduleOf(handler)],
    },
    {
      way: 'early authentication before a route of the platform',
      platforms: ['fastify'],
      prepare: (app, handler) => {
        fastifyRoute(app, handler);
      },
    },
  ];
  const start = ({ imports, prepare }: Way, earlyAuthentication: boolean, http2: boolean) =>
    startCreated(
      {
        resources: offlineResource(NOTES),
        verifier: (token: string) => ({ iss: ISSUER, aud: NOTES, sub: 'u1', scope: `notes:${token}` }),
        earlyAuthentication,
      },
      {
        platform: 'fastify',
        ...(http2 && { adapter: new FastifyAdapter({ http2: true }) }),
        providers: [Declared],
        ...(imports && { imports: imports(SERVERS[0]![1]) }),
        prepare: (app) => prepare?.(app, SERVERS[0]![1]),
      },
    );
  const ways = [
    ...WAYS.filter(({ platforms }) => platforms.includes('fastify')).map((way) => [way, false] as const),
    ...early.map((way) => [way, true] as const),
  ];

  for (const [way, isEarly] of ways) {
    verifies('WAY-02', `is authorized with HTTP/2: ${way.way}`, async () => {
      const { origin } = await start(way, isEarly, true);
      expect(await postByHttp2(origin, 'read', call('purge'))).toBe(403);
      expect(await postByHttp2(origin, 'read', call('write'))).toBe(403);
      expect(ran).toEqual([]);
      expect(await postByHttp2(origin, 'read', call('list'))).toBe(200);
      expect(await postByHttp2(origin, 'admin', call('purge'))).toBe(200);
      expect(ran).toEqual(['list', 'purge']);
    });

    verifies('WAY-02', `is read ahead once, in chunks: ${way.way}`, async () => {
      const app = await start(way, isEarly, false);
      const headers = { 'transfer-encoding': 'chunked' };
      expect(await post(app, call('purge'), { headers })).toEqual(insufficient);
      expect((await post(app, call('list'), { headers })).status).toBe(200);
      expect(ran).toEqual(['list']);
    });
  }
});
