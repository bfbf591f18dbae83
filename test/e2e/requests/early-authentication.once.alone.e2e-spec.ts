import { Controller, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AuthContext,
  McpAuthConfigError,
  McpAuthModule,
  type McpAuthModuleOptions,
  type ProtectedResourceOptions,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { adapterOf, createApp, PLATFORMS, type RunningApp, startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { send, sendRaw } from '../../fixtures/http.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES, NOTES_METADATA, offlineResource, ORIGIN, PRM } from '../../fixtures/resources.js';
import {
  type Caller,
  GuardedWhoController,
  OpenWhoController,
  ran,
  tellCaller,
  WhoController,
  type WithCaller,
} from '../../fixtures/who.controller.js';
import { verifies } from '../../verifies.js';

const CHALLENGE = `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}"`;
const MIB = 1024 * 1024;

/** The head of a POST whose body is never sent, or later. */
const head = (path: string, bytes: number, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${String(bytes)}\r\n${more}\r\n`;

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.count = 0;
});

const options = (earlyAuthentication: boolean): McpAuthModuleOptions => ({
  resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
  earlyAuthentication,
});
/** For pages of one more origin. */
const withOrigin = ({ resources, ...rest }: McpAuthModuleOptions): McpAuthModuleOptions => ({
  ...rest,
  resources: { ...(resources as ProtectedResourceOptions), allowedOrigins: ['https://app.example'] },
});
const good = async (): Promise<string> => `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}`;

/** A connection that has sent these bytes, and what has come back so far. */
async function opened(app: RunningApp, bytes: string): Promise<{ socket: Socket; received: () => string }> {
  const { hostname, port } = new URL(app.origin);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) =>
    socket.write(bytes, () => {
      resolve();
    }),
  );
  return { socket, received: () => received };
}

describe.each(PLATFORMS)('a flood of unauthenticated bodies on %s', (platform) => {
  let early: RunningApp;
  let late: RunningApp;
  /** How often a body was parsed. */
  let parsed = 0;

  /** Parses JSON as ever, and counts. */
  const counting = (app: INestApplication): void => {
    if (platform === 'fastify') {
      interface Fastify {
        removeContentTypeParser(type: string): void;
        addContentTypeParser(
          type: string,
          how: object,
          parse: (_: unknown, body: string, done: (error: null, parsed: unknown) => void) => void,
        ): void;
      }
      const fastify = app.getHttpAdapter().getInstance() as Fastify;
      fastify.removeContentTypeParser('application/json');
      fastify.addContentTypeParser(
        'application/json',
        { parseAs: 'string', bodyLimit: 6 * MIB },
        (_, body, done) => {
          parsed += 1;
          done(null, JSON.parse(body));
        },
      );
      return;
    }
    app.use((request: IncomingMessage & { body?: unknown }, _: ServerResponse, next: () => void) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        parsed += 1;
        request.body = JSON.parse(Buffer.concat(chunks).toString());
        next();
      });
    });
  };

  beforeAll(async () => {
    const parts = {
      platform,
      controllers: [GuardedWhoController],
      prepare: counting,
      factoryOptions: { bodyParser: false },
    };
    early = await createApp(options(true), parts);
    late = await createApp(options(false), parts);
  });

  afterAll(async () => {
    await early.close();
    await late.close();
  });

  beforeEach(() => {
    parsed = 0;
  });

  verifies('CHL-01', 'is rejected by the heads alone, without parsing', async () => {
    const flood = await Promise.all(Array.from({ length: 20 }, () => opened(early, head('/notes', 5 * MIB))));
    for (const { received } of flood) {
      await expect.poll(received).toMatch(/^HTTP\/1\.1 401 [^]*\r\n\r\n\{.*\}$/);
      expect(received()).toMatch(/^HTTP\/1\.1 401 /);
      expect(received().split('\r\n')).toContain(`WWW-Authenticate: ${CHALLENGE}`);
      expect(received()).toMatch(
        /\{"error":"missing_token","error_description":"Send an access token: Authorization: Bearer TOKEN"\}$/,
      );
    }
    const answer = await early.send('/notes', {
      method: 'POST',
      headers: { authorization: await good() },
      body: {},
    });
    expect([answer.status, parsed, ran.count]).toEqual([200, 1, 1]);
    expect(answer.json).toEqual({ auth: 'u1', context: 'u1' });
    for (const { socket } of flood) socket.destroy();
  });

  verifies('CHL-01', 'is answered in the same way without the option, once each body has come', async () => {
    const body = JSON.stringify({ text: 'x'.repeat(5 * MIB) });
    const { socket, received } = await opened(late, head('/notes', body.length));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(received()).toBe('');
    socket.write(body);
    await expect.poll(received).toMatch(/^HTTP\/1\.1 401 /);
    expect(received().toLowerCase().split('\r\n')).toContain(`www-authenticate: ${CHALLENGE}`.toLowerCase());
    expect([parsed, ran.count]).toEqual([1, 0]);
    socket.destroy();
  });

  verifies(
    'CHL-01',
    'is discarded as it comes, and the connection is good for the next request',
    async () => {
      const { socket, received } = await opened(early, head('/notes', 5 * MIB));
      await expect.poll(received).toMatch(/^HTTP\/1\.1 401 /);
      socket.write(Buffer.alloc(5 * MIB, 'x'));
      socket.write(head('/notes', 2, `Authorization: ${await good()}\r\n`) + '{}');
      await expect.poll(received, { timeout: 5000 }).toMatch(/HTTP\/1\.1 200 /);
      expect([parsed, ran.count]).toEqual([1, 1]);
      socket.destroy();
    },
  );

  it('keeps the caller for a parser that waits for its body', async () => {
    for (const app of [early, late]) {
      const { socket, received } = await opened(app, head('/notes', 2, `Authorization: ${await good()}\r\n`));
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.write('{}');
      await expect.poll(received).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\n\{"auth":"u1","context":"u1"\}$/);
      socket.destroy();
    }
  });

  verifies('CHL-01', 'does not grow the process', async () => {
    const memory = (): number => {
      const { arrayBuffers, heapUsed } = process.memoryUsage();
      return arrayBuffers + heapUsed;
    };
    const body = Buffer.alloc(5 * MIB, 'x');
    const before = memory();
    let most = before;
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const { socket, received } = await opened(early, head('/notes', body.length));
        await new Promise<void>((resolve) =>
          socket.write(body, () => {
            resolve();
          }),
        );
        most = Math.max(most, memory());
        await expect.poll(received).toMatch(/^HTTP\/1\.1 401 /);
        socket.destroy();
      }),
    );
    expect([parsed, ran.count]).toEqual([0, 0]);
    expect((most - before) / MIB).toBeLessThan(100);
  });
});

describe.each(PLATFORMS)('bodies that no parser takes, on %s', (platform) => {
  const malformed = '{"a":';
  const large = JSON.stringify({ text: 'x'.repeat(5 * MIB) });
  const post = (app: RunningApp, body: string, authorization?: string) =>
    app.send('/notes', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body,
    });

  verifies('CHL-01', 'get 401 without a token, and their own status with one', async () => {
    const app = await startCreated(options(true), { platform, controllers: [GuardedWhoController] });
    for (const [body, status] of [
      [malformed, 400],
      [large, 413],
    ] as const) {
      const rejected = await post(app, body);
      expect([rejected.status, rejected.headers['www-authenticate']]).toEqual([401, CHALLENGE]);
      const wrong = await post(app, body, 'Bearer abc');
      expect([wrong.status, wrong.headers['www-authenticate']]).toEqual([
        401,
        expect.stringMatching(/^Bearer error="invalid_token", scope="notes:read", /),
      ]);
      const admitted = await post(app, body, await good());
      expect([admitted.status, admitted.headers['www-authenticate']]).toEqual([status, undefined]);
    }
    expect(ran.count).toBe(0);
    expect((await post(app, '{}', await good())).status).toBe(200);
  });
});

describe.each(PLATFORMS)('the paths of a resource on %s', (platform) => {
  /** The status line of a request whose target is sent to the letter. */
  const statusOf = async (app: RunningApp, target: string): Promise<number> => {
    const raw = await sendRaw(app.origin, `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    return Number(raw.slice('HTTP/1.1 '.length).slice(0, 3));
  };

  /** As a library that finds its requests by itself. */
  const resolving = (app: INestApplication): void => {
    app.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
      const { pathname } = new URL(request.url ?? '', ORIGIN);
      if (pathname.toLowerCase().replace(/\/$/, '') !== '/notes') {
        next();
        return;
      }
      ran.count += 1;
      response.end('ran');
    });
  };

  /** All of them are the resource's path to one router or another. */
  const SPELLINGS = [
    '/notes',
    '/notes/',
    '/notes?x',
    '/notes?/.well-known/',
    '/notes#x',
    '/notes#?x',
    '/notes/#',
    '/NOTES',
    '/%6eotes',
    '/%6Eotes?%zz',
    '/x/../notes',
    '//x/notes',
    '//x/y/../notes',
    '/x/%2e%2e/notes',
    '/x/..%5Cnotes',
    '/./notes',
    '/.well-known/../notes',
    '/.well-known/%2E%2e/notes',
    '/.well-known/..\\notes',
    '/.well-known\\..\\notes',
    `${PRM}/../../notes`,
    'http://x/notes',
    'http://x/.well-known/../notes',
  ];

  verifies('CHL-01', 'need a token in every spelling, and then only', async () => {
    const app = await startCreated(options(true), {
      platform,
      controllers: [WhoController],
      prepare: resolving,
    });
    const statuses: [string, number][] = [];
    for (const target of SPELLINGS) statuses.push([target, await statusOf(app, target)]);
    expect(statuses).toEqual(SPELLINGS.map((target) => [target, 401]));
    for (const target of ['/notes/sub', '/notes/%zz', '/%6eotes/%zz', '/notes/../other', '/notes;x=1']) {
      expect([target, await statusOf(app, target)]).toEqual([
        target,
        expect.toSatisfy((status) => [400, 401].includes(status as number)),
      ]);
    }
    expect(ran.count).toBe(0);
    for (const target of ['/', '/note', '/notesx', '/x/notes', '/%256eotes', '/x?/notes', '/x#/notes']) {
      expect([target, await statusOf(app, target)]).toEqual([target, 404]);
    }
  });

  verifies(
    ['PRM-40', 'CHL-01'],
    'are all paths for a resource without one, except the documents',
    async () => {
      const app = await startCreated(
        { resources: offlineResource(ORIGIN), earlyAuthentication: true },
        { platform, controllers: [WhoController], prepare: resolving },
      );
      for (const target of [...SPELLINGS, '/', '/nothing', '/.well-knowns/x', '//.well-known/x']) {
        expect([target, await statusOf(app, target)]).toEqual([target, 401]);
      }
      expect(ran.count).toBe(0);
      expect(await app.send(PRM)).toMatchObject({ status: 200, json: { resource: ORIGIN } });
      expect((await app.send('/.well-known/security.txt')).status).toBe(404);
    },
  );
});

describe('early authentication beside other settings', () => {
  it('fails startup if the path does not tell resources apart', async () => {
    const elsewhere = 'https://other.example/Notes/';
    const resources = [offlineResource(NOTES), offlineResource(elsewhere)];
    const error: unknown = await createApp({ resources, earlyAuthentication: true }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(McpAuthConfigError);
    expect((error as Error).message).toBe(
      `McpAuthModule has 1 problem:\n  - earlyAuthentication: cannot tell "${NOTES}" and "${elsewhere}" apart by their paths; give them different paths, or leave it out`,
    );
    await startCreated({ resources });
    await startCreated({ resources: [resources[0]!, offlineResource(ADMIN)], earlyAuthentication: true });
  });

  describe.each(PLATFORMS)('on %s', (platform) => {
    it('needs a token below the path for what @SkipBearerAuth() opens, and nowhere else', async () => {
      @Controller('notes/open')
      @SkipBearerAuth()
      class OpenBelow extends WhoController {}
      const app = await startCreated(options(true), {
        platform,
        controllers: [OpenBelow, OpenWhoController],
      });
      const post = (path: string, authorization?: string) =>
        app.send(path, { method: 'POST', headers: authorization ? { authorization } : {}, body: {} });
      const rejected = await post('/notes/open');
      expect([rejected.status, rejected.headers['www-authenticate']]).toEqual([401, CHALLENGE]);
      expect(await post('/open')).toMatchObject({ status: 200, json: { auth: 'nobody', context: 'nobody' } });
      const admitted = await post('/notes/open', await good());
      expect(admitted).toMatchObject({ status: 200, json: { auth: 'u1', context: 'u1' } });
    });

    it('serves anonymous callers at an open resource, and no bad token', async () => {
      const { resources } = options(true) as { resources: ProtectedResourceOptions };
      const app = await startCreated(
        { resources: { ...resources, allowAnonymous: true }, earlyAuthentication: true },
        { platform, controllers: [WhoController] },
      );
      const post = (headers: Record<string, string>) =>
        app.send('/notes', { method: 'POST', headers, body: {} });
      expect(await post({})).toMatchObject({ status: 200, json: { auth: 'nobody', context: 'nobody' } });
      expect((await post({ authorization: 'Bearer abc' })).status).toBe(401);
      expect(await post({ authorization: await good() })).toMatchObject({ json: { auth: 'u1' } });
    });

    it('covers the routes of a plugin that was registered before', async () => {
      if (platform !== 'fastify') return;
      const app = await startCreated(options(true), {
        platform,
        prepare: async (nest) => {
          const context = nest.get(AuthContext);
          interface Plugin {
            post(path: string, handler: (request: WithCaller) => Promise<Caller>): void;
          }
          const register = nest.getHttpAdapter() as unknown as {
            register(plugin: (plugin: Plugin) => Promise<void>): Promise<void>;
          };
          await register.register(async (plugin) => {
            plugin.post('/notes', async (request) => tellCaller(request, context));
          });
        },
      });
      expect((await app.send('/notes', { method: 'POST', body: {} })).status).toBe(401);
      const headers = { authorization: await good() };
      const admitted = await app.send('/notes', { method: 'POST', headers, body: {} });
      expect(admitted).toMatchObject({ status: 200, json: { auth: 'u1', context: 'u1' } });
    });

    it('answers pages of allowed origins so that they can read it, and no others', async () => {
      const { resources } = options(true) as { resources: ProtectedResourceOptions };
      const app = await startCreated(
        { resources: { ...resources, allowedOrigins: ['https://app.example'] }, earlyAuthentication: true },
        { platform, controllers: [GuardedWhoController] },
      );
      const ask = (origin: string, method: string, headers = {}) =>
        app.send('/notes', { method, headers: { origin, ...headers } });
      const preflight = await ask('https://app.example', 'OPTIONS', {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      });
      const rejected = await ask('https://app.example', 'POST');
      expect([preflight.status, rejected.status]).toEqual([204, 401]);
      expect(rejected.headers['www-authenticate']).toBe(CHALLENGE);
      for (const { headers } of [preflight, rejected]) {
        expect(headers['access-control-allow-origin']).toBe('https://app.example');
      }
      const strange = await ask('https://app.example.org', 'POST', { authorization: await good() });
      expect([strange.status, strange.headers['access-control-allow-origin']]).toEqual([403, undefined]);
      expect(ran.count).toBe(0);
    });

    it('leaves preflights to a CORS setting that comes before, and browsers can read rejections', async () => {
      const app = await withCors(platform);
      const headers = { origin: 'https://app.example' };
      const preflight = await send(app.origin, '/notes', {
        method: 'OPTIONS',
        headers: { ...headers, 'access-control-request-method': 'POST' },
      });
      expect(preflight.status).toBe(204);
      const rejected = await send(app.origin, '/notes', { method: 'POST', headers, body: {} });
      expect(rejected.status).toBe(401);
      for (const answer of [preflight, rejected]) {
        expect(answer.headers['access-control-allow-origin']).toBe('https://app.example');
      }
      expect(ran.count).toBe(0);
    });
  });

  /** An app with CORS as the documents say. */
  async function withCors(platform: (typeof PLATFORMS)[number]): Promise<{ origin: string }> {
    @Module({
      imports: [McpAuthModule.forRoot(withOrigin(options(true)))],
      controllers: [GuardedWhoController],
    })
    class AppModule {}
    const cors = { origin: 'https://app.example' };
    let app: INestApplication;
    if (platform === 'fastify') {
      app = await NestFactory.create(AppModule, adapterOf(platform), { logger: false });
      app.enableCors(cors);
    } else {
      const adapter = new ExpressAdapter();
      adapter.enableCors(cors);
      app = await NestFactory.create(AppModule, adapter, { logger: false });
    }
    closeAfterTest(app);
    await app.listen(0, '127.0.0.1');
    return { origin: await app.getUrl() };
  }
});

describe('Fastify without middleware', () => {
  it('is authenticated early', async () => {
    @Module({ imports: [McpAuthModule.forRoot(options(true))], controllers: [WhoController] })
    class AppModule {}
    const adapter = new FastifyAdapter({ skipMiddie: true });
    const app: INestApplication = await NestFactory.create(AppModule, adapter, { logger: false });
    closeAfterTest(app);
    await app.listen(0, '127.0.0.1');
    const origin = await app.getUrl();
    const post = async (headers: Record<string, string>) =>
      send(origin, '/notes', { method: 'POST', headers, body: {} });
    expect((await post({})).headers['www-authenticate']).toBe(CHALLENGE);
    expect((await post({ authorization: await good() })).json).toEqual({ auth: 'u1', context: 'u1' });
  });
});
