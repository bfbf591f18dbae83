import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ArgumentsHost,
  Body,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  createParamDecorator,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  type INestApplication,
  Injectable,
  Module,
  type NestInterceptor,
  type OnModuleInit,
  type PipeTransform,
  Post,
  Query,
  Req,
  Scope,
  Sse,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { interval, map, type Observable, take, tap } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AuthContext,
  AuthInfo,
  BearerAuthGuard,
  BearerAuthMiddleware,
  McpAuthModule,
  type McpAuthModuleOptions,
  RequireScopes,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { adapterOf, type Platform, PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { send } from '../../fixtures/http.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

type MaybeAuth = AuthInfo | undefined;

/** Whom each place of a request's way has seen, in order. For one request at a time. */
const seen: { place: string; caller: MaybeAuth }[] = [];

@Injectable()
class Witness {
  constructor(private readonly context: AuthContext) {}

  see(place: string): void {
    seen.push({ place, caller: this.context.current() });
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestScoped {
  readonly atConstruction: MaybeAuth;

  constructor(private readonly context: AuthContext) {
    this.atConstruction = context.current();
  }

  subjects(): unknown {
    return [this.atConstruction?.subject, this.context.current()?.subject];
  }
}

@Injectable()
class Early implements OnModuleInit {
  static atInit: MaybeAuth | 'not called' = 'not called';

  constructor(private readonly context: AuthContext) {}

  onModuleInit(): void {
    Early.atInit = this.context.current();
  }
}

@Injectable()
class LaterGuard implements CanActivate {
  constructor(private readonly witness: Witness) {}

  canActivate(context: ExecutionContext): boolean {
    this.witness.see('guard');
    const { auth } = context.switchToHttp().getRequest<{ auth: AuthInfo }>();
    seen.push({ place: 'req.auth in a guard', caller: auth });
    return true;
  }
}

@Injectable()
class Interceptor implements NestInterceptor {
  constructor(private readonly witness: Witness) {}

  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.witness.see('interceptor before');
    return next.handle().pipe(
      tap({
        next: () => {
          this.witness.see('interceptor after');
        },
      }),
    );
  }
}

@Injectable()
class Pipe implements PipeTransform {
  constructor(private readonly witness: Witness) {}

  transform(value: unknown): unknown {
    this.witness.see('pipe');
    return value;
  }
}

@Catch(HttpException)
@Injectable()
class Filter implements ExceptionFilter {
  constructor(private readonly witness: Witness) {}

  catch(exception: HttpException, host: ArgumentsHost): void {
    this.witness.see('filter');
    const http = host.switchToHttp();
    seen.push({ place: 'req.auth in a filter', caller: http.getRequest<{ auth?: AuthInfo }>().auth });
    const response = http.getResponse<{ status(code: number): { send(body: object): void } }>();
    response.status(exception.getStatus()).send({ filtered: true });
  }
}

/** What `@AuthInfo()` gives to a parameter decorator of the application, which reads the request. */
const RequestCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<{ auth?: AuthInfo }>().auth,
);

@Controller('notes')
@UseGuards(BearerAuthGuard, LaterGuard)
@UseInterceptors(Interceptor)
@UseFilters(Filter)
class NotesController {
  constructor(
    private readonly witness: Witness,
    private readonly context: AuthContext,
  ) {}

  @Get('way')
  async way(
    @AuthInfo() auth: AuthInfo,
    @RequestCaller() requestAuth: AuthInfo,
    @Req() { raw }: { raw?: { auth?: AuthInfo } },
    @Query('q', Pipe) query: unknown,
  ): Promise<string> {
    seen.push({ place: '@AuthInfo()', caller: auth }, { place: 'req.auth', caller: requestAuth });
    seen.push({ place: 'req.auth of Node', caller: (raw ?? { auth: requestAuth }).auth });
    this.witness.see('handler');
    await delay(1);
    this.witness.see('await');
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        this.witness.see('setImmediate');
        process.nextTick(resolve);
      });
    });
    queueMicrotask(() => {
      this.witness.see('microtask');
    });
    return `done ${String(query)}`;
  }

  @Get('fail')
  fail(): never {
    throw new HttpException('no', 409);
  }

  @Get('admin')
  @RequireScopes('notes:admin')
  admin(): string {
    return 'admin';
  }

  @Get('open')
  @SkipBearerAuth()
  open(): string {
    this.witness.see('handler');
    return 'open';
  }

  @Sse('events')
  events(): Observable<{ data: string }> {
    return interval(2).pipe(
      take(3),
      map(() => ({ data: this.context.current()?.subject ?? 'nobody' })),
    );
  }

  @Post('body')
  async body(
    @Body() body: { text: string; delayMs?: number },
    @PipedCaller() piped: unknown,
  ): Promise<object> {
    const before = this.context.current()?.subject;
    await delay(body.delayMs ?? 0);
    return { before, piped, after: this.context.current()?.subject, length: body.text.length };
  }

  @Post('unparsed')
  async unparsed(@Req() request: AsyncIterable<Buffer> & { raw?: AsyncIterable<Buffer> }): Promise<object> {
    let length = 0;
    const subjects = new Set<unknown>();
    for await (const chunk of request.raw ?? request) {
      length += chunk.length;
      subjects.add(this.context.current()?.subject);
    }
    return { length, subjects: [...subjects] };
  }

  /** As busy code is: delays of random length, before and after each look. */
  @Get('who')
  async who(@AuthInfo('subject') subject: string, @Req() { auth }: { auth: AuthInfo }): Promise<object> {
    const subjects = new Set([subject, auth.subject]);
    for (let i = 0; i < 5; i++) {
      await delay(Math.random() * 4);
      subjects.add(this.context.current()?.subject ?? 'nobody');
    }
    return { subjects: [...subjects] };
  }
}

/** A parameter that a service makes, behind the body parser. */
function PipedCaller(): ParameterDecorator {
  @Injectable()
  class CallerPipe implements PipeTransform {
    constructor(private readonly context: AuthContext) {}

    transform(): unknown {
      return this.context.current()?.subject;
    }
  }
  return createParamDecorator(() => null)(CallerPipe);
}

@Controller('notes/scoped')
@UseGuards(BearerAuthGuard)
class ScopedController {
  constructor(private readonly scoped: RequestScoped) {}

  @Get()
  async get(): Promise<unknown> {
    await delay(1);
    return this.scoped.subjects();
  }
}

/** What is used of applications and of Fastify that the common types do not have. */
interface WithBodyParser {
  useBodyParser(type: string, options: object, parser?: FastifyBodyParser): void;
}
type FastifyBodyParser = (request: object, body: Buffer, done: (error: null, body: unknown) => void) => void;
interface FastifyLike {
  addContentTypeParser(type: string, parser: (request: object, body: object, done: () => void) => void): void;
}

/** JSON of up to 2 MB is parsed; octets are left to handlers. */
function takeLargeBodies(nest: INestApplication, platform: Platform): void {
  const parsing = nest as unknown as WithBodyParser;
  if (platform === 'express') {
    parsing.useBodyParser('json', { limit: '2mb' });
    return;
  }
  // Nest 11 gives handlers the bytes unless a parser is named.
  parsing.useBodyParser('application/json', { bodyLimit: 2_000_000 }, (_request, body, done) => {
    done(null, JSON.parse(body.toString()));
  });
  const fastify = nest.getHttpAdapter().getInstance() as FastifyLike;
  fastify.addContentTypeParser('application/octet-stream', (_request, _body, done) => {
    done();
  });
}

describe.each(PLATFORMS)('AuthContext, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    app = await startApp(
      { resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] } },
      {
        controllers: [NotesController, ScopedController],
        providers: [Witness, RequestScoped, Early],
        prepare: (nest) => {
          takeLargeBodies(nest, platform);
        },
        platform,
      },
    );
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  beforeEach(() => {
    seen.length = 0;
  });

  const token = (sub = 'u1', more: Record<string, unknown> = {}): Promise<string> =>
    as.token({ aud: NOTES, scope: 'notes:read', sub, ...more });
  const get = async (path: string, bearer?: string) =>
    app.send(path, { headers: { authorization: `Bearer ${bearer ?? (await token())}` } });

  verifies(
    ['F94', 'F89', 'F91'],
    'is the same caller in guards, interceptors, pipes, handlers, and after awaits',
    async () => {
      expect((await get('/notes/way?q=1')).text).toBe('done 1');
      expect(seen.map(({ place }) => place)).toEqual([
        'guard',
        'req.auth in a guard',
        'interceptor before',
        'pipe',
        '@AuthInfo()',
        'req.auth',
        'req.auth of Node',
        'handler',
        'await',
        'setImmediate',
        'microtask',
        'interceptor after',
      ]);
      const [{ caller } = { caller: undefined }] = seen;
      expect(caller).toMatchObject({
        subject: 'u1',
        clientId: 'c1',
        scopes: ['notes:read'],
        issuer: as.issuer,
      });
      for (const each of seen) expect(each.caller).toBe(caller);
    },
  );

  verifies('F94', 'is the caller in a filter, for what a handler throws', async () => {
    expect((await get('/notes/fail')).status).toBe(409);
    expect(seen.slice(-2).map(({ place, caller }) => [place, caller?.subject])).toEqual([
      ['filter', 'u1'],
      ['req.auth in a filter', 'u1'],
    ]);
  });

  verifies(['F94', 'F90'], 'is empty in a filter, for a request that is rejected', async () => {
    for (const [path, bearer, status] of [
      ['/notes/way', 'abc', 401],
      ['/notes/way', await token('u1', { aud: `${NOTES}2` }), 401],
      ['/notes/way', await token('u1', { scope: 'other' }), 403],
      ['/notes/admin', await token(), 403],
    ] as const) {
      seen.length = 0;
      expect((await get(path, bearer)).status).toBe(status);
      expect(seen).toEqual([
        { place: 'filter', caller: undefined },
        { place: 'req.auth in a filter', caller: undefined },
      ]);
    }
  });

  verifies(
    'F94',
    'is empty in a route that skips authentication, at startup and outside of requests',
    async () => {
      expect(Early.atInit).toBeUndefined();
      expect(app.app.get(AuthContext).current()).toBeUndefined();
      expect((await get('/notes/open')).text).toBe('open');
      expect(seen.find(({ place }) => place === 'handler')).toEqual({ place: 'handler', caller: undefined });
      expect(app.app.get(AuthContext).current()).toBeUndefined();
    },
  );

  verifies('F94', 'is the caller in request-scoped services and in streams', async () => {
    // Nest makes what is request-scoped before guards run.
    expect((await get('/notes/scoped', await token('u2'))).json).toEqual([null, 'u2']);
    const { text } = await get('/notes/events', await token('u3'));
    expect(text.match(/data: .*/g)).toEqual(['data: u3', 'data: u3', 'data: u3']);
  });

  verifies('F94', 'is not lost while a large body comes in', async () => {
    const headers = { authorization: `Bearer ${await token('u4')}` };
    for (const length of [0, 100_000, 1_000_000]) {
      const body = { text: 'x'.repeat(length) };
      const { json } = await app.send('/notes/body', { method: 'POST', headers, body });
      expect(json).toEqual({ before: 'u4', piped: 'u4', after: 'u4', length });
    }
    const octets = { ...headers, 'content-type': 'application/octet-stream' };
    const body = 'x'.repeat(1_000_000);
    const { json } = await app.send('/notes/unparsed', { method: 'POST', headers: octets, body });
    expect(json).toEqual({ length: 1_000_000, subjects: ['u4'] });
  });

  verifies(
    ['SES-07', 'F94', 'H26'],
    'is never another caller, for 500 requests of 50 users at the same time',
    async () => {
      const users = await Promise.all(
        Array.from({ length: 50 }, async (_, n) => ({
          sub: `u${String(n)}`,
          token: await token(`u${String(n)}`),
        })),
      );
      const answers = await Promise.all(
        Array.from({ length: 500 }, async (_, n) => {
          const user = users[(n * 7) % users.length]!;
          const headers = { authorization: `Bearer ${user.token}` };
          await delay(Math.random() * 20);
          if (n % 5 > 0) return { user, ...(await app.send('/notes/who', { headers })) };
          const body = { text: 'x'.repeat(n * 100), delayMs: Math.random() * 10 };
          return { user, ...(await app.send('/notes/body', { method: 'POST', headers, body })) };
        }),
      );
      const mixed = answers.filter(({ user: { sub }, status, json }) => {
        const { subjects, before, piped, after } = json as Record<string, unknown>;
        const found = status === 201 ? [before, piped, after] : (subjects as unknown[]);
        return found.some((each) => each !== sub);
      });
      expect(mixed.map(({ user, text }) => `${user.sub}: ${text}`)).toEqual([]);
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
    },
  );

  verifies('F94', 'is the caller of each application, if one in the same process calls another', async () => {
    @Injectable()
    class Asker {
      constructor(private readonly context: AuthContext) {}

      caller(): unknown[] {
        const caller = this.context.current();
        return [caller?.subject, caller?.resource.href];
      }
    }
    @Module({ providers: [Asker], exports: [Asker] })
    class AskerModule {}
    const inner = { origin: '', token: '' };

    @Controller('who')
    @UseGuards(BearerAuthGuard)
    class Who {
      constructor(private readonly asker: Asker) {}

      @Get('inner')
      async inner(): Promise<unknown> {
        await delay(Math.random() * 3);
        return this.asker.caller();
      }

      @Get('outer')
      async outer(): Promise<unknown> {
        const before = this.asker.caller();
        const headers = { authorization: `Bearer ${inner.token}` };
        const { json } = await send(inner.origin, '/who/inner', { headers });
        return { before, inner: json, after: this.asker.caller() };
      }
    }
    const startWho = async (resource: string): Promise<RunningApp> =>
      closeAfterTest(
        await startApp(
          { resources: { resource, authorizationServers: [as.issuer] } },
          { imports: [AskerModule], controllers: [Who], platform },
        ),
      );
    const [notes, admin] = [await startWho(NOTES), await startWho(ADMIN)];
    Object.assign(inner, { origin: admin.origin, token: await as.token({ aud: ADMIN, sub: 'inner' }) });
    const headers = { authorization: `Bearer ${await token('outer')}` };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await notes.send('/who/outer', { headers })).json),
    );
    for (const answer of answers) {
      expect(answer).toEqual({ before: ['outer', NOTES], inner: ['inner', ADMIN], after: ['outer', NOTES] });
    }
    expect((await admin.send('/who/outer', { headers })).status).toBe(401);
  });
});

describe.each(PLATFORMS)('AuthContext in an application that main.ts makes, on %s', (platform) => {
  verifies('F94', 'is the caller, although the platform is made before the module', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());

    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class Notes {
      constructor(private readonly context: AuthContext) {}

      @Post()
      async post(@Body() { text }: { text: string }): Promise<object> {
        await delay(1);
        return { subject: this.context.current()?.subject, length: text.length };
      }
    }

    @Module({
      imports: [McpAuthModule.forRoot({ resources: { resource: NOTES, authorizationServers: [as.issuer] } })],
      controllers: [Notes],
    })
    class AppModule {}
    const app = closeAfterTest(await NestFactory.create(AppModule, adapterOf(platform), { logger: false }));
    await app.listen(0, '127.0.0.1');
    const post = async (sub: string) => {
      const headers = { authorization: `Bearer ${await as.token({ aud: NOTES, sub })}` };
      const request = { method: 'POST', headers, body: { text: 'x'.repeat(50_000) } };
      return (await send(await app.getUrl(), '/notes', request)).json;
    };
    const subjects = Array.from({ length: 20 }, (_, n) => `u${String(n)}`);
    expect(await Promise.all(subjects.map(post))).toEqual(
      subjects.map((subject) => ({ subject, length: 50_000 })),
    );
  });
});

describe('AuthContext beside Nest', () => {
  it('is the caller in a handler of Express behind the middleware', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const app = closeAfterTest(
      await startApp(
        { resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] } },
        {
          prepare: (nest) => {
            const bearerAuth = nest.get(BearerAuthMiddleware);
            const context = nest.get(AuthContext);
            type Handler = (request: never, response: never, next: () => void) => void;
            const protect: Handler = (request, response, next) => {
              bearerAuth.use(request, response, next);
            };
            const report = async (request: { auth?: AuthInfo }, response: { end(text: string): void }) => {
              const same = context.current() === request.auth;
              await delay(1);
              response.end(`${context.current()?.subject ?? 'nobody'} ${String(same)}`);
            };
            nest.use('/notes/report', protect, report);
            nest.use('/open', report);
          },
          platform: 'express',
        },
      ),
    );
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}` };
    expect((await app.send('/notes/report', { headers })).text).toBe('u1 true');
    expect((await app.send('/notes/report')).status).toBe(401);
    expect((await app.send('/open', { headers })).text).toBe('nobody true');
  });

  it('is the caller behind the middleware at a path of no resource, where there is only one', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const notes = { resource: NOTES, authorizationServers: [as.issuer] };
    const startReports = async (resources: McpAuthModuleOptions['resources']): Promise<RunningApp> =>
      closeAfterTest(
        await startApp(
          { resources },
          {
            prepare: (nest) => {
              const [bearerAuth, context] = [nest.get(BearerAuthMiddleware), nest.get(AuthContext)];
              nest.use('/reports', (request: never, response: ServerResponse) => {
                bearerAuth.use(request, response, () => {
                  response.end(context.current()?.subject ?? 'nobody');
                });
              });
            },
            platform: 'express',
          },
        ),
      );
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES })}` };
    const single = await startReports(notes);
    expect((await single.send('/reports', { headers })).text).toBe('u1');
    expect((await single.send('/reports')).status).toBe(401);
    const several = await startReports([notes, { resource: ADMIN, authorizationServers: [as.issuer] }]);
    expect((await several.send('/reports', { headers })).status).toBe(500);
  });
});
