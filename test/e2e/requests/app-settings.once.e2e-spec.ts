import {
  Body,
  ClassSerializerInterceptor,
  Controller,
  Get,
  HttpCode,
  Inject,
  Injectable,
  Post,
  Req,
  Scope,
  SetMetadata,
  UseGuards,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE, ContextIdFactory, REQUEST } from '@nestjs/core';
import { IsInt } from 'class-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthContext, AuthInfo, BearerAuthGuard, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { PLATFORMS, startCreated } from '../../fixtures/app.js';
import { AppController, DenyingGuard } from '../../fixtures/apps.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { NOTES, NOTES_METADATA, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const CHALLENGE = `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}"`;

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

const options = (): McpAuthModuleOptions => ({
  resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
});
const bearer = async (claims: object = {}) => ({
  authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read', ...claims })}`,
});

describe.each(PLATFORMS)('on %s', (platform) => {
  describe('a global guard that denies everything', () => {
    const providers = [{ provide: APP_GUARD, useClass: DenyingGuard }];
    const document = `${PRM}/notes`;

    verifies(
      ['PRM-40', 'F39'],
      'denies the documents unless they are exempted, whatever the token',
      async () => {
        const denied = await startCreated(options(), { platform, controllers: [AppController], providers });
        const exempted = await startCreated(
          { ...options(), decorators: [SetMetadata('is-public', true)] },
          { platform, controllers: [AppController], providers },
        );
        for (const headers of [{}, await bearer(), { authorization: 'Bearer abc' }]) {
          expect((await denied.send(document, { headers })).status).toBe(403);
          expect(await exempted.send(document, { headers })).toMatchObject({
            status: 200,
            json: { resource: NOTES },
          });
          // The exemption is for the documents alone.
          expect((await exempted.send('/notes', { headers })).status).toBe(403);
        }
        expect((await exempted.send(document, { method: 'POST' })).status).toBe(405);
        expect((await exempted.send(`${document}x`)).status).toBe(404);
      },
    );

    it('is exempted in one module only where two apps run beside each other', async () => {
      await startCreated(
        { ...options(), decorators: [SetMetadata('is-public', true)] },
        { platform, providers },
      );
      const denied = await startCreated(options(), { platform, providers });
      expect((await denied.send(document)).status).toBe(403);
    });
  });

  it('routes by host where a guarded controller asks for one', async () => {
    @Controller({ path: 'notes', host: ':tenant.example.com' })
    class TenantController extends AppController {}
    const app = await startCreated(options(), { platform, controllers: [TenantController] });
    const get = async (host: string, authorization = {}) =>
      app.send('/notes', { headers: { host, ...authorization } });
    expect((await get('a.example.com')).headers['www-authenticate']).toBe(CHALLENGE);
    expect((await get('a.example.com', await bearer())).status).toBe(200);
    for (const host of ['example.com', 'a.example.org', 'a.example.com.evil']) {
      // Nest 11 may answer 500 on Fastify: "HTTP adapter does not support filtering on host".
      expect([404, 500]).toContain((await get(host, await bearer())).status);
    }
    const document = await app.send(`${PRM}/notes`, { headers: { host: 'evil.example' } });
    expect(document).toMatchObject({ status: 200, json: { resource: NOTES } });
  });

  it('keeps the token out of what a serializer sends', async () => {
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class WholeController {
      @Get()
      whole(@AuthInfo() auth: AuthInfo): object {
        return auth;
      }

      @Get('nested')
      nested(@AuthInfo() auth: AuthInfo): object {
        return { caller: { auth } };
      }
    }
    const providers = [{ provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor }];
    for (const more of [[], providers]) {
      const app = await startCreated(options(), {
        platform,
        controllers: [WholeController],
        providers: more,
      });
      const headers = await bearer();
      for (const path of ['/notes', '/notes/nested']) {
        const answer = await app.send(path, { headers });
        expect([answer.status, answer.text.includes('u1')]).toEqual([200, true]);
        expect(answer.text).not.toContain(headers.authorization.slice('Bearer '.length));
        expect(answer.text).not.toContain('"token"');
      }
    }
  });

  it('still validates bodies beside @AuthInfo()', async () => {
    class Note {
      @IsInt()
      count!: number;
    }
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class NotesController {
      @Post()
      @HttpCode(200)
      add(@AuthInfo() auth: AuthInfo, @Body() note: Note, @AuthInfo('expiresAt') expiresAt: number): object {
        const same = Object.isFrozen(auth) && auth.expiresAt === expiresAt;
        return { same, isNote: note instanceof Note, note };
      }
    }
    const pipe = new ValidationPipe({ validateCustomDecorators: true, transform: true, whitelist: true });
    const app = await startCreated(options(), {
      platform,
      controllers: [NotesController],
      providers: [{ provide: APP_PIPE, useValue: pipe }],
    });
    const post = async (body: object) =>
      app.send('/notes', { method: 'POST', headers: await bearer(), body });
    expect(await post({ count: 1, more: 2 })).toMatchObject({
      status: 200,
      json: { same: true, isNote: true, note: { count: 1 } },
    });
    expect((await post({ count: '1' })).status).toBe(400);
  });

  it('finds the caller where raw bodies are kept, and where nobody has parsed them', async () => {
    @Controller('notes')
    class RawController extends AppController {
      @Post()
      @HttpCode(200)
      raw(
        @Req() request: { rawBody?: Buffer; body?: unknown },
        @AuthInfo('subject') subject: string,
      ): object {
        return { raw: request.rawBody?.toString() ?? 'none', parsed: request.body ?? 'none', subject };
      }
    }
    const send = async (factoryOptions: object) => {
      const app = await startCreated(options(), { platform, controllers: [RawController], factoryOptions });
      const tokenless = await app.send('/notes', { method: 'POST', body: { a: 1 } });
      expect([tokenless.status, tokenless.headers['www-authenticate']]).toEqual([401, CHALLENGE]);
      return (await app.send('/notes', { method: 'POST', headers: await bearer(), body: { a: 1 } })).json;
    };
    expect(await send({ rawBody: true })).toEqual({ raw: '{"a":1}', parsed: { a: 1 }, subject: 'u1' });
    // Fastify parses JSON by itself.
    const parsed = platform === 'fastify' ? { a: 1 } : 'none';
    expect(await send({ bodyParser: false })).toEqual({ raw: 'none', parsed, subject: 'u1' });
  });

  it('gives every request its own caller in request-scoped providers', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Caller {
      @Inject(REQUEST) private readonly request!: { auth?: AuthInfo };
      @Inject() private readonly context!: AuthContext;

      /** With a pause, in which other requests come. */
      async subjects(): Promise<(string | undefined)[]> {
        const before = this.context.current()?.subject;
        await new Promise((resolve) => setTimeout(resolve, 5));
        return [before, this.context.current()?.subject, this.request.auth?.subject];
      }
    }
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class CallerController {
      @Inject() private readonly caller!: Caller;

      @Get()
      get(): Promise<unknown> {
        return this.caller.subjects();
      }
    }
    const app = await startCreated(options(), {
      platform,
      controllers: [CallerController],
      providers: [Caller],
    });
    await Promise.all(
      Array.from({ length: 50 }, async (_, number) => {
        const sub = `u${number}`;
        const answer = await app.send('/notes', { headers: await bearer({ sub }) });
        expect(answer.json).toEqual([sub, sub, sub]);
      }),
    );
  });
});

describe('durable providers', () => {
  it('are shared by a tenant, and AuthContext still knows each caller', async () => {
    const byRequest = ContextIdFactory.create.bind(ContextIdFactory);
    const tenants = new Map<string, ReturnType<typeof byRequest>>();
    ContextIdFactory.apply({
      attach(contextId, request: { headers?: Record<string, string> }) {
        const tenant = request.headers?.['x-tenant'] ?? 'none';
        const tenantId = tenants.get(tenant) ?? byRequest();
        tenants.set(tenant, tenantId);
        return {
          resolve: (info) => (info.isTreeDurable ? tenantId : contextId),
          payload: { tenant },
        };
      },
    });
    let made = 0;
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Tenant {
      constructor(@Inject(REQUEST) readonly payload: { tenant: string }) {
        made += 1;
      }
    }
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class TenantController {
      constructor(
        private readonly tenant: Tenant,
        private readonly context: AuthContext,
      ) {}

      @Get()
      get(@AuthInfo('subject') subject: string): string {
        return `${this.tenant.payload.tenant} ${subject} ${this.context.current()?.subject ?? 'nobody'}`;
      }
    }
    const app = await startCreated(options(), { controllers: [TenantController], providers: [Tenant] });
    for (const [tenant, sub] of [
      ['a', 'u1'],
      ['a', 'u2'],
      ['b', 'u3'],
    ] as const) {
      const headers = { 'x-tenant': tenant, ...(await bearer({ sub })) };
      expect((await app.send('/notes', { headers })).text).toBe(`${tenant} ${sub} ${sub}`);
    }
    expect(made).toBe(2);
    expect((await app.send('/notes', { headers: { 'x-tenant': 'a' } })).status).toBe(401);
  });
});
