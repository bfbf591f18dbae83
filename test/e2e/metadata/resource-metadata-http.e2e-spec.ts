import {
  type CallHandler,
  ClassSerializerInterceptor,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  Module,
  type NestInterceptor,
  RequestMethod,
  VersioningType,
} from '@nestjs/common';
import {
  APP_GUARD,
  APP_INTERCEPTOR,
  HttpAdapterHost,
  NestFactory,
  Reflector,
  RouterModule,
} from '@nestjs/core';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { map, type Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BearerAuthGuard, McpAuthModule, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { adapterOf, defaultPlatform, type RunningApp, start, startApp } from '../../fixtures/app.js';
import { type HttpAnswer, send } from '../../fixtures/http.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, offlineResource, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const DOCUMENT = `${PRM}/notes`;
const NOWHERE = `${PRM}/note`;
const OPTIONS: McpAuthModuleOptions = { resources: offlineResource(NOTES) };
const BODY =
  '{"resource":"https://api.example.com/notes","authorization_servers":["https://as.example"],"bearer_methods_supported":["header"]}';

/** The headers that the package answers for: without those of the connection and of Express. */
function ownHeaders({ headers }: HttpAnswer): IncomingHttpHeaders {
  const foreign = ['date', 'connection', 'keep-alive', 'transfer-encoding', 'x-powered-by'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !foreign.includes(name)));
}

/** All that a client gets. */
function whole(answer: HttpAnswer): { status: number; headers: IncomingHttpHeaders; text: string } {
  return { status: answer.status, headers: ownHeaders(answer), text: answer.text };
}

describe('a metadata document', () => {
  let app: RunningApp;
  let etag: string;

  beforeAll(async () => {
    app = await startApp(OPTIONS, { controllers: [NotesController] });
    etag = (await app.send(DOCUMENT)).headers.etag!;
  });

  afterAll(() => app.close());

  const served = () => ({
    'access-control-allow-origin': '*',
    'cache-control': 'public, max-age=3600',
    'content-length': String(Buffer.byteLength(BODY)),
    'content-type': 'application/json',
    etag,
  });

  verifies(['PRM-20', 'PRM-47', 'F37'], 'answers GET with its exact headers', async () => {
    const answer = await app.send(DOCUMENT);
    expect(whole(answer)).toEqual({ status: 200, headers: served(), text: BODY });
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.headers).not.toHaveProperty('www-authenticate');
  });

  verifies(['PRM-45', 'F37'], 'answers HEAD as GET without a body', async () => {
    expect(whole(await app.send(DOCUMENT, { method: 'HEAD' }))).toEqual({
      status: 200,
      headers: served(),
      text: '',
    });
    expect(await app.send(NOWHERE, { method: 'HEAD' })).toMatchObject({ status: 404, text: '' });
  });

  verifies(
    ['PRM-44', 'F37'],
    'answers other methods with 405, and lists GET, HEAD and OPTIONS in Allow',
    async () => {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const body = method === 'DELETE' ? undefined : { resource: 'https://evil.example' };
        const answer = await app.send(DOCUMENT, { method, body });
        expect(whole(answer)).toEqual({
          status: 405,
          headers: {
            allow: 'GET, HEAD, OPTIONS',
            'access-control-allow-origin': '*',
            'cache-control': 'no-store',
            'content-type': 'application/json',
          },
          text: '{"error":"method_not_allowed","error_description":"Use GET, HEAD, OPTIONS"}',
        });
        expect(await app.send(NOWHERE, { method })).toMatchObject({
          status: 404,
          json: { error: 'not_found' },
        });
      }
      expect((await app.send(DOCUMENT)).text).toBe(BODY);
    },
  );

  verifies(['PRM-44', 'F37'], 'answers other methods with 405, whatever is wrong with the body', async () => {
    const bodies: [type: string, body: string][] = [
      ['application/json', '{"resource":'],
      ['application/json', '"\u0000'],
      ['application/json; charset=nonsense', '{}'],
      ['application/x-unheard-of', 'text'],
      ['nonsense', 'text'],
    ];
    for (const [type, body] of bodies) {
      const answer = await app.send(DOCUMENT, { method: 'POST', body, headers: { 'content-type': type } });
      expect([type, answer.status, answer.headers.allow, answer.json]).toEqual([
        type,
        405,
        'GET, HEAD, OPTIONS',
        { error: 'method_not_allowed', error_description: 'Use GET, HEAD, OPTIONS' },
      ]);
      const elsewhere = await app.send('/notes', {
        method: 'POST',
        body,
        headers: { 'content-type': type },
      });
      expect(elsewhere.status).not.toBe(405);
    }
    const large = `{"resource":"${'x'.repeat(2_000_000)}"}`;
    const headers = { 'content-type': 'application/json' };
    expect((await app.send(DOCUMENT, { method: 'PUT', body: large, headers })).status).toBe(405);
    expect((await app.send(DOCUMENT)).text).toBe(BODY);
  });

  verifies(['PRM-42', 'F37'], 'answers OPTIONS, with the headers that a client asks for', async () => {
    const preflight = (path: string, asked?: string): Promise<HttpAnswer> =>
      app.send(path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://app.example',
          'access-control-request-method': 'GET',
          ...(asked !== undefined && { 'access-control-request-headers': asked }),
        },
      });
    for (const [asked, allowed] of [
      ['mcp-protocol-version', 'mcp-protocol-version'],
      ['mcp-protocol-version,x-other', 'mcp-protocol-version,x-other'],
      [undefined, 'MCP-Protocol-Version'],
    ]) {
      expect(whole(await preflight(DOCUMENT, asked))).toEqual({
        status: 204,
        headers: {
          allow: 'GET, HEAD, OPTIONS',
          'access-control-allow-headers': allowed,
          'access-control-allow-methods': 'GET, HEAD, OPTIONS',
          'access-control-allow-origin': '*',
          'access-control-max-age': '86400',
          vary: 'Access-Control-Request-Headers',
        },
        text: '',
      });
    }
    expect((await preflight(NOWHERE)).status).toBe(404);
  });

  verifies('PRM-41', 'is open to any origin, without credentials', async () => {
    for (const origin of ['https://app.example', 'null', undefined]) {
      const { headers } = await app.send(DOCUMENT, { headers: origin === undefined ? {} : { origin } });
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  verifies('PRM-47', 'sets no cookie and sends no challenge, whatever a request carries', async () => {
    const headers = { cookie: 'session=1', authorization: 'Bearer not.a.token' };
    for (const path of [DOCUMENT, NOWHERE]) {
      const answer = await app.send(path, { headers });
      expect(answer.headers).not.toHaveProperty('set-cookie');
      expect(answer.headers).not.toHaveProperty('www-authenticate');
    }
    const guarded = await app.send('/notes', { headers });
    expect(guarded.headers['www-authenticate']).toContain('Bearer error="invalid_token"');
  });
});

describe('caching of a document', () => {
  let app: RunningApp;
  let etag: string;

  beforeAll(async () => {
    app = await startApp(OPTIONS);
    etag = (await app.send(DOCUMENT)).headers.etag!;
  });

  afterAll(() => app.close());

  verifies(['PRM-46', 'F38'], 'answers 304 to a client that has it', async () => {
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, `"other",W/${etag} , "more"`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await app.send(DOCUMENT, { method, headers: { 'if-none-match': tag } });
        expect(whole(answer)).toEqual({
          status: 304,
          headers: { 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=3600', etag },
          text: '',
        });
      }
    }
  });

  verifies(['PRM-46', 'F38'], 'answers 200 to a client that has something else', async () => {
    const oneOff = etag.replace(/.(?="$)/, (letter) => (letter === 'A' ? 'B' : 'A'));
    const others = [
      oneOff,
      `W/${oneOff}`,
      etag.slice(1, -1),
      `${etag}x`,
      `w/${etag}`,
      '"*"',
      '""',
      '"a", "b"',
    ];
    for (const tag of others) {
      const answer = await app.send(DOCUMENT, { headers: { 'if-none-match': tag } });
      expect([tag, answer.status, answer.text]).toEqual([tag, 200, BODY]);
    }
    const later = { 'if-modified-since': new Date(Date.now() + 60_000).toUTCString() };
    expect((await app.send(DOCUMENT, { headers: later })).status).toBe(200);
    const elsewhere = await app.send(NOWHERE, { headers: { 'if-none-match': '*' } });
    expect(elsewhere.status).toBe(404);
  });

  verifies(['PRM-46', 'F38'], 'lasts as long as configured, and the tag follows the content', async () => {
    const same = await start({ ...OPTIONS, metadataMaxAgeSeconds: 60 });
    expect((await same.send(DOCUMENT)).headers).toMatchObject({
      'cache-control': 'public, max-age=60',
      etag,
    });
    const none = await start({ ...OPTIONS, metadataMaxAgeSeconds: 0 });
    expect((await none.send(DOCUMENT)).headers['cache-control']).toBe('public, max-age=0');
    const other = await start({ resources: offlineResource(NOTES, { metadata: { resource_name: 'N' } }) });
    expect((await other.send(DOCUMENT)).headers.etag).not.toBe(etag);
  });
});

describe('a document in an app with settings of its own', () => {
  /** What every setting has to leave as it is. */
  async function expectUntouched(app: RunningApp, headers: Record<string, string> = {}): Promise<void> {
    const answer = await app.send(DOCUMENT, { headers });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: BODY });
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(BODY)),
    });
    expect(answer.headers).not.toHaveProperty('www-authenticate');
  }

  const VERSIONINGS: ((app: INestApplication) => void)[] = [
    (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version', defaultVersion: '1' }),
    (app) => app.enableVersioning({ type: VersioningType.MEDIA_TYPE, key: 'v=', defaultVersion: '1' }),
  ];

  verifies(['PRM-09', 'F40'], 'stays at the root under a global prefix', async () => {
    const app = await start(OPTIONS, {
      controllers: [NotesController],
      prepare: (nest) => {
        nest.setGlobalPrefix('api');
      },
    });
    await expectUntouched(app);
    expect((await app.send(`/api${DOCUMENT}`)).status).toBe(404);
    expect((await app.send(NOWHERE)).json).toMatchObject({ error: 'not_found' });
    expect([(await app.send('/api/notes')).status, (await app.send('/notes')).status]).toEqual([401, 404]);
  });

  verifies(
    ['PRM-09', 'F40'],
    'stays at the root beside what the app itself keeps out of the prefix',
    async () => {
      const app = await start(OPTIONS, {
        controllers: [NotesController],
        prepare: (nest) => {
          nest.setGlobalPrefix('api', { exclude: [{ path: 'notes', method: RequestMethod.GET }] });
        },
      });
      await expectUntouched(app);
      expect((await app.send(`/api${DOCUMENT}`)).status).toBe(404);
      expect([(await app.send('/api/notes')).status, (await app.send('/notes')).status]).toEqual([404, 401]);
    },
  );

  verifies(['PRM-09', 'F40'], 'stays at the root under versioning of every type', async () => {
    for (const enable of VERSIONINGS) {
      const app = await start(OPTIONS, {
        prepare: (nest) => {
          nest.setGlobalPrefix('api');
          enable(nest);
        },
      });
      await expectUntouched(app);
      await expectUntouched(app, { 'x-version': '2', accept: 'application/json;v=2' });
      for (const path of [`/v1${DOCUMENT}`, `/api/v1${DOCUMENT}`, `/api${DOCUMENT}`]) {
        expect((await app.send(path)).status).toBe(404);
      }
    }
  });

  verifies(['PRM-09', 'F40'], 'stays at the root when the module is part of one with a path', async () => {
    @Module({ imports: [McpAuthModule.forRoot(OPTIONS)], controllers: [NotesController] })
    class Feature {}
    @Module({ imports: [Feature, RouterModule.register([{ path: 'feature', module: Feature }])] })
    class AppModule {}
    const nest = await NestFactory.create(AppModule, adapterOf(defaultPlatform), { logger: false });
    nest.setGlobalPrefix('api');
    await nest.listen(0, '127.0.0.1');
    closeAfterTest(nest);
    const origin = await nest.getUrl();
    expect(await send(origin, DOCUMENT)).toMatchObject({ status: 200, text: BODY });
    for (const path of [`/feature${DOCUMENT}`, `/api/feature${DOCUMENT}`, `/api${DOCUMENT}`]) {
      expect([path, (await send(origin, path)).status]).toEqual([path, 404]);
    }
    expect((await send(origin, '/api/feature/notes')).status).toBe(401);
  });

  verifies(['PRM-47', 'LEG-02'], 'sets no cookie when the app sets one on every answer', async () => {
    const app = await start(OPTIONS, {
      controllers: [NotesController],
      prepare: (nest) => {
        nest.use((_: unknown, response: ServerResponse, next: () => void) => {
          response.setHeader('set-cookie', 'session=1; HttpOnly');
          next();
        });
      },
    });
    await expectUntouched(app);
    expect((await app.send('/notes')).headers['set-cookie']).toEqual(['session=1; HttpOnly']);
    for (const [path, method] of [
      [DOCUMENT, 'GET'],
      [DOCUMENT, 'HEAD'],
      [DOCUMENT, 'OPTIONS'],
      [DOCUMENT, 'PUT'],
      [NOWHERE, 'GET'],
    ] as const) {
      expect((await app.send(path, { method })).headers).not.toHaveProperty('set-cookie');
    }
  });

  verifies(['PRM-40', 'F39'], 'is open under the guard as a global one, for any token or none', async () => {
    const providers = [{ provide: APP_GUARD, useClass: BearerAuthGuard }];
    const app = await start(OPTIONS, { controllers: [NotesController], providers });
    const credentials = [undefined, 'Bearer not.a.token', 'Bearer ', 'Basic dTpw', 'Bearer a, Bearer b'];
    for (const authorization of credentials) {
      await expectUntouched(app, authorization === undefined ? {} : { authorization });
      const guarded = await app.send('/notes', {
        headers: authorization === undefined ? {} : { authorization },
      });
      expect([400, 401]).toContain(guarded.status);
    }
    for (const [path, method, status] of [
      [DOCUMENT, 'HEAD', 200],
      [DOCUMENT, 'OPTIONS', 204],
      [DOCUMENT, 'POST', 405],
      [NOWHERE, 'GET', 404],
    ] as const) {
      expect((await app.send(path, { method })).status).toBe(status);
    }
  });

  verifies(['PRM-40', 'F39'], 'is open under a guard that main.ts makes global', async () => {
    const app = await start(OPTIONS, {
      controllers: [NotesController],
      prepare: (nest) => {
        nest.useGlobalGuards(nest.get(BearerAuthGuard));
      },
    });
    await expectUntouched(app);
    expect((await app.send('/notes')).status).toBe(401);
  });

  @Injectable()
  class Wrapping implements NestInterceptor {
    constructor(private readonly host: HttpAdapterHost) {}

    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      const response = context.switchToHttp().getResponse<object>();
      const { httpAdapter } = this.host;
      httpAdapter.setHeader(response, 'content-type', 'application/wrapped+json');
      httpAdapter.status(response, 201);
      return next.handle().pipe(map((data: unknown) => ({ wrapped: data })));
    }
  }

  it('is not changed by an interceptor that wraps, or by a serializer', async () => {
    @Controller('open')
    class OpenController {
      @Get()
      read(): { text: string } {
        return { text: 'open' };
      }
    }
    const providers = [
      { provide: APP_INTERCEPTOR, useClass: Wrapping },
      {
        provide: APP_INTERCEPTOR,
        useFactory: (reflector: Reflector) =>
          new ClassSerializerInterceptor(reflector, { excludePrefixes: ['resource'] }),
        inject: [Reflector],
      },
    ];
    const app = await start(OPTIONS, { controllers: [OpenController], providers });
    await expectUntouched(app);
    expect(await app.send(NOWHERE)).toMatchObject({ status: 404, json: { error: 'not_found' } });
    expect(await app.send('/open')).toMatchObject({ status: 201, json: { wrapped: { text: 'open' } } });
  });

  it('is not changed by a prefix, versioning, a global guard and an interceptor together', async () => {
    const providers = [
      { provide: APP_GUARD, useClass: BearerAuthGuard },
      { provide: APP_INTERCEPTOR, useClass: Wrapping },
    ];
    const app = await start(OPTIONS, {
      controllers: [NotesController],
      providers,
      prepare: (nest) => {
        nest.setGlobalPrefix('api');
        nest.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      },
    });
    await expectUntouched(app, { authorization: 'Bearer not.a.token' });
    expect((await app.send('/api/v1/notes')).status).toBe(401);
  });

  verifies('PRM-41', 'is readable from any origin when the app is from one', async () => {
    const app = await start(OPTIONS, {
      controllers: [NotesController],
      prepare: (nest) => {
        nest.enableCors({ origin: 'https://app.example', credentials: true, exposedHeaders: ['x-secret'] });
      },
    });
    for (const origin of ['https://app.example', 'https://other.example']) {
      await expectUntouched(app, { origin });
      const { headers } = await app.send(DOCUMENT, { headers: { origin } });
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
      expect(headers).not.toHaveProperty('access-control-expose-headers');
      const elsewhere = await app.send('/elsewhere', { headers: { origin } });
      expect(elsewhere.headers).toMatchObject({
        'access-control-allow-origin': 'https://app.example',
        'access-control-allow-credentials': 'true',
      });
    }
  });
});
