import {
  All,
  Controller,
  Delete,
  Get,
  Inject,
  type INestApplication,
  Injectable,
  type MiddlewareConsumer,
  Module,
  Post,
  Req,
  Res,
  type Type,
  UseGuards,
} from '@nestjs/common';
import {
  MCP_HTTP_HANDLER,
  McpHttpControllerFor,
  McpStrategy,
  type McpTransport,
  type McpTransportContext,
  StreamableHttpController,
  StreamableHttpTransport,
  type StreamableHttpTransportOptions,
} from '@rekog/mcp-nest';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  AllowAnonymous,
  BearerAuthGuard,
  BearerAuthMiddleware,
  McpAuthConfigError,
  McpAuthModule,
  type McpAuthModuleOptions,
  ProtectedResource,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import {
  type AppParts,
  defaultPlatform,
  RecordingLogger,
  type RunningApp,
  start,
  startCreated,
  startFailure,
} from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing } from '../../fixtures/config-problems.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { ADMIN, NOTES, NOTES_METADATA, offlineResource, PRM } from '../../fixtures/resources.js';
import { PlainTools, ran } from '../../fixtures/self-mounted.js';
import { unprotected } from '../../fixtures/unprotected.js';
import { verifies } from '../../verifies.js';

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.length = 0;
});

const { noToken, invalidToken } = notesRejections('notes:read');

const options = (more: object = {}): McpAuthModuleOptions => ({
  resources: {
    resource: NOTES,
    authorizationServers: [as.issuer],
    requiredScopes: ['notes:read'],
    ...more,
  },
});

type Handlers = StreamableHttpTransport['httpHandlers'];
type Serve = (request: unknown, response: unknown) => unknown;

/** What serves the requests of a transport, out of sight of whoever reads the code of a controller. */
function servedBy(transport: StreamableHttpTransport): { post: Serve; get: Serve; remove: Serve } {
  const handlers = transport.httpHandlers;
  return {
    post: (request, response) => handlers.handlePost(request, response),
    get: (request, response) => handlers.handleGet(request, response),
    remove: (request, response) => handlers.handleDelete(request, response),
  };
}

/** What main.ts does for a transport. */
function connect(transport: McpTransport): (app: INestApplication) => Promise<void> {
  const strategy = new McpStrategy({ name: 'n', version: '1', transports: [transport], logging: false });
  return async (app) => {
    strategy.setHttpAdapter(app.getHttpAdapter());
    app.connectMicroservice({ strategy });
    await app.startAllMicroservices();
  };
}

const UNGUARDED =
  'serves MCP without a guard; add @UseGuards(BearerAuthGuard), or @SkipBearerAuth() where it is for everybody or ' +
  'something else covers it, such as BearerAuthMiddleware';

/** Puts the methods of a class on another one, with all that decorators have written on them. */
function mixIn(target: Type, source: { prototype: object }): void {
  for (const name of ['post', 'get', 'delete']) {
    Object.defineProperty(
      target.prototype,
      name,
      Object.getOwnPropertyDescriptor(source.prototype, name) ?? {},
    );
    const given: unknown = Reflect.getMetadata('__routeArguments__', source, name);
    Reflect.defineMetadata('__routeArguments__', given, target, name);
  }
}

/** Endpoints as applications write them, by the name of the class. */
const ENDPOINTS: Readonly<Record<string, (transport: StreamableHttpTransport) => Type>> = {
  HandWritten: (transport) => {
    const handlers = transport.httpHandlers;
    @Controller('notes')
    class HandWritten {
      @Post()
      post(@Req() request: unknown, @Res() response: unknown) {
        return handlers.handlePost(request, response);
      }
    }
    return HandWritten;
  },
  WithMember: (transport) => {
    @Controller('notes')
    class WithMember {
      private readonly mcp = transport.httpHandlers;

      @All()
      serve(@Req() request: IncomingMessage, @Res() response: unknown) {
        return this.hand(request, response);
      }

      private hand(request: unknown, response: unknown) {
        return this.mcp.handlePost(request, response);
      }
    }
    return WithMember;
  },
  InjectedHandlers: () => {
    @Controller('notes')
    class InjectedHandlers {
      constructor(@Inject(MCP_HTTP_HANDLER) private readonly mcp: Handlers) {}

      @Post()
      post(@Req() request: unknown, @Res() response: unknown) {
        return this.mcp.handlePost(request, response);
      }
    }
    return InjectedHandlers;
  },
  StreamableHttpController: () => {
    // The class itself: decorators write on it.
    const itself = StreamableHttpController as unknown as Type;
    Controller('notes')(itself);
    return itself;
  },
  BoundMcpHttpController: (transport) => {
    const itself = McpHttpControllerFor(transport) as unknown as Type;
    Controller('notes')(itself);
    return itself;
  },
  Mixed: (transport) => {
    @Controller('notes')
    class Mixed {}
    mixIn(Mixed, McpHttpControllerFor(transport));
    return Mixed;
  },
  OverridingMixed: (transport) => {
    class Parent {
      post(...given: unknown[]): unknown {
        return given;
      }
    }
    mixIn(Parent, McpHttpControllerFor(transport));
    @Controller('notes')
    class OverridingMixed extends Parent {
      @Post()
      override post(@Req() request: unknown, @Res() response: unknown) {
        return super.post(request, response);
      }
    }
    return OverridingMixed;
  },
  Overriding: (transport) => {
    @Controller('notes')
    class Overriding extends McpHttpControllerFor(transport) {
      @Post()
      override post(@Req() request: unknown, @Res() response: unknown) {
        return super.post(request, response);
      }
    }
    return Overriding;
  },
};

const providersOf = (transport: StreamableHttpTransport) => [
  { provide: MCP_HTTP_HANDLER, useValue: transport.httpHandlers },
];

describe(`an MCP endpoint without a guard, on ${defaultPlatform}`, () => {
  verifies(['WAY-06', 'SCP-20'], 'fails startup, however it is written', async () => {
    for (const [name, endpoint] of Object.entries(ENDPOINTS)) {
      const transport = new StreamableHttpTransport();
      const parts = { controllers: [endpoint(transport), PlainTools], providers: providersOf(transport) };
      const error = await startFailure(options(), { ...parts, prepare: connect(transport) });
      expect(error).toBeInstanceOf(McpAuthConfigError);
      expect(error.message).toBe(listing(`${name}: ${UNGUARDED}`));
    }
  });

  verifies('WAY-06', 'is not mistaken for a route that only resembles one', async () => {
    @Injectable()
    class Posts {
      handlePost(text: unknown) {
        return `posted ${String(text)}`;
      }
    }
    @Controller('blog')
    class Blog {
      constructor(private readonly posts: Posts) {}

      @Post()
      create(@Req() request: { body?: { text?: string } }) {
        return this.posts.handlePost(request.body?.text);
      }

      @Get()
      handleGet(@Req() _request: unknown, @Res() response: { send(body: string): void }) {
        response.send('read');
      }
    }
    const app = await start(options(), { controllers: [Blog], providers: [Posts] });
    expect((await app.send('/blog')).text).toBe('read');
    expect((await app.send('/blog', { method: 'POST', body: { text: 'a' } })).text).toBe('posted a');
  });
});

/** Hides from the audit what it does, as helpers of an application may. */
function hidden(transport: StreamableHttpTransport, ...decorators: ClassDecorator[]): Type {
  const { post, get, remove } = servedBy(transport);
  @Controller('notes')
  class Hidden {
    @Post()
    post(@Req() request: unknown, @Res() response: unknown) {
      return post(request, response);
    }

    @Get()
    get(@Req() request: unknown, @Res() response: unknown) {
      return get(request, response);
    }

    @Delete()
    delete(@Req() request: unknown, @Res() response: unknown) {
      return remove(request, response);
    }
  }
  for (const decorate of decorators) decorate(Hidden);
  return Hidden;
}

const SENT = { ...MCP_HEADERS, 'content-type': 'application/json' };

const call = (app: RunningApp, headers: object = {}, body: unknown = toolCall('open'), method = 'POST') =>
  app.send('/notes', {
    method,
    headers: { ...(method === 'POST' ? SENT : MCP_HEADERS), ...headers },
    ...(method === 'POST' && { body }),
  });

const bearer = async (scope = 'notes:read') => ({
  authorization: `Bearer ${await as.token({ aud: NOTES, scope })}`,
});

const NOT_AUTHENTICATED =
  'A request reached a transport of @rekog/mcp-nest without authentication and was rejected; add ' +
  '@UseGuards(BearerAuthGuard) to the route that hands it over, or @SkipBearerAuth() if the route is open to everybody';

const UNKNOWN_RESOURCE =
  'A request reached a transport of @rekog/mcp-nest without authentication, at a path of no protected resource; add ' +
  '@UseGuards(BearerAuthGuard) and @ProtectedResource() to the route that hands it over';

interface Started {
  readonly app: RunningApp;
  readonly log: RecordingLogger;
}

async function startHidden(
  decorators: ClassDecorator[] = [],
  given: McpAuthModuleOptions = options(),
  settings: StreamableHttpTransportOptions = {},
): Promise<Started> {
  const log = new RecordingLogger();
  const transport = new StreamableHttpTransport(settings);
  const parts = { controllers: [hidden(transport, ...decorators), PlainTools] };
  const app = await start(given, {
    ...parts,
    log,
    prepare: connect(transport),
  });
  return { app, log };
}

describe(`a transport of @rekog/mcp-nest behind a route that nobody recognizes, on ${defaultPlatform}`, () => {
  verifies(['WAY-32', 'WAY-06'], 'answers a request without authentication with 401', async () => {
    for (const settings of [{}, { statefulMode: true }, { protocol: 'modern-only' as const }]) {
      const { app, log } = await startHidden([], options(), settings);
      // A token that nobody has verified is none.
      for (const headers of [{}, await bearer(), { authorization: 'Bearer x' }]) {
        for (const body of [INITIALIZE, toolCall('open'), { jsonrpc: '2.0', id: 1, method: 'tools/list' }])
          expect(rejectedAs(await call(app, headers, body))).toEqual(noToken);
        for (const method of ['GET', 'DELETE'])
          expect(rejectedAs(await call(app, headers, undefined, method))).toEqual(noToken);
      }
      expect(ran).toEqual([]);
      expect(log.warnings).toContain(NOT_AUTHENTICATED);
    }
  });

  verifies('WAY-32', 'answers in the form that the options ask for', async () => {
    const { app } = await startHidden([], { ...options(), errorBody: 'json-rpc' });
    expect(rejectedAs(await call(app, {}, toolCall('open', 7)))).toMatchObject({
      status: 401,
      json: { jsonrpc: '2.0', id: 7, error: { data: { error: 'missing_token' } } },
    });
  });

  verifies(
    'WAY-32',
    'serves requests that a guard has authenticated, and rejects their neighbours',
    async () => {
      const { app, log } = await startHidden([UseGuards(BearerAuthGuard)]);
      expect(rejectedAs(await call(app))).toEqual(noToken);
      expect(rejectedAs(await call(app, { authorization: 'Bearer x' }))).toEqual(invalidToken);
      expect(ran).toEqual([]);
      expect((await call(app, await bearer())).status).toBe(200);
      expect(ran).toEqual(['open']);
      expect(log.warnings).toEqual([]);
    },
  );

  verifies('WAY-32', 'serves anonymous callers that a guard allows', async () => {
    const anonymous = [
      await startHidden([UseGuards(BearerAuthGuard), AllowAnonymous()]),
      await startHidden([UseGuards(BearerAuthGuard)], options({ allowAnonymous: true })),
      await startHidden([], { ...options({ allowAnonymous: true }), earlyAuthentication: true }),
    ];
    for (const { app } of anonymous) {
      ran.length = 0;
      expect((await call(app)).status).toBe(200);
      expect(rejectedAs(await call(app, { authorization: 'Bearer x' }))).toEqual(invalidToken);
      expect(ran).toEqual(['open']);
    }
    // The neighbour: nobody has decided.
    const undecided = await startHidden([AllowAnonymous()], options({ allowAnonymous: true }));
    expect(rejectedAs(await call(undecided.app))).toEqual(noToken);
    expect(ran).toEqual(['open']);
  });

  verifies(
    'WAY-32',
    'serves everybody under @SkipBearerAuth(), except in a class that extends it',
    async () => {
      const { app } = await startHidden([SkipBearerAuth()]);
      expect((await call(app)).status).toBe(200);
      expect(ran).toEqual(['open']);
      const transport = new StreamableHttpTransport();
      @Controller('notes')
      class Extending extends hidden(transport, SkipBearerAuth()) {}
      const extending = await start(options(), {
        controllers: [Extending, PlainTools],
        prepare: connect(transport),
      });
      expect(rejectedAs(await call(extending))).toEqual(noToken);
      expect(ran).toEqual(['open']);
    },
  );

  verifies('WAY-32', 'serves requests that early authentication has authenticated', async () => {
    const { app } = await startHidden([], { ...options(), earlyAuthentication: true });
    expect(rejectedAs(await call(app))).toEqual(noToken);
    expect((await call(app, await bearer())).status).toBe(200);
    expect(ran).toEqual(['open']);
  });

  verifies('WAY-32', 'serves requests that BearerAuthMiddleware has authenticated', async () => {
    const transport = new StreamableHttpTransport();
    @Module({ controllers: [hidden(transport), PlainTools] })
    class Covered {
      configure(consumer: MiddlewareConsumer) {
        consumer.apply(BearerAuthMiddleware).forRoutes('notes');
      }
    }
    const app = await startCreated(options(), { imports: [Covered], prepare: connect(transport) });
    expect(rejectedAs(await call(app))).toEqual(noToken);
    expect(ran).toEqual([]);
    expect((await call(app, await bearer())).status).toBe(200);
    expect(ran).toEqual(['open']);
  });

  verifies('WAY-32', 'serves a route of the platform too', async () => {
    const transport = new StreamableHttpTransport();
    const { post } = servedBy(transport);
    const app = await startCreated(options(), {
      controllers: [PlainTools],
      prepare: async (nest) => {
        await connect(transport)(nest);
        const adapter = nest.getHttpAdapter();
        adapter.post('/notes', (request: unknown, response: unknown) => void post(request, response));
      },
    });
    expect(rejectedAs(await call(app))).toEqual(noToken);
    expect(rejectedAs(await call(app, await bearer()))).toEqual(noToken);
    expect(ran).toEqual([]);
  });

  verifies('WAY-32', 'answers 500 if the resource is unknown, and logs the fix', async () => {
    const resources = [NOTES, ADMIN].map((resource) => offlineResource(resource));
    const { app, log } = await startHidden([], { resources });
    // At the path of one of them, that one is meant.
    expect(await call(app)).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': `Bearer resource_metadata="${NOTES_METADATA}"` },
    });
    const transport = new StreamableHttpTransport();
    @Controller('elsewhere')
    class Elsewhere extends hidden(transport) {}
    const log2 = new RecordingLogger();
    const other = await start(
      { resources },
      {
        controllers: [Elsewhere, PlainTools],
        log: log2,
        prepare: connect(transport),
      },
    );
    const answer = await other.send('/elsewhere', { method: 'POST', headers: SENT, body: toolCall('open') });
    expect(rejectedAs(answer)).toEqual({
      status: 500,
      challenge: undefined,
      json: { error: 'server_error', error_description: 'The request could not be checked' },
    });
    expect(log2.warnings).toContain(UNKNOWN_RESOURCE);
    expect(log.warnings).not.toContain(UNKNOWN_RESOURCE);
    expect(ran).toEqual([]);
  });
});

describe(`an HTTP transport of the application for @rekog/mcp-nest, on ${defaultPlatform}`, () => {
  /** Serves each request with a server of its own, and tells its strategy of the request or not. */
  class OwnTransport implements McpTransport {
    readonly kind = 'streamable-http';
    serve: (request: IncomingMessage, response: ServerResponse, body: unknown) => Promise<void> = async () =>
      undefined;

    constructor(private readonly tells: boolean) {}

    start(context: McpTransportContext): void {
      this.serve = async (request, response, body) => {
        const session = { transport: this.kind, stateless: true, era: 'legacy' } as const;
        const server = context.createBoundServer(session, this.tells ? request : undefined);
        const transport = new NodeStreamableHTTPServerTransport({ enableJsonResponse: true });
        await server.connect(transport);
        await transport.handleRequest(request, response, body);
      };
    }

    close(): void {
      return undefined;
    }
  }

  interface Requested extends IncomingMessage {
    readonly raw?: IncomingMessage;
    readonly body?: unknown;
  }

  function endpoint(transport: OwnTransport): Type {
    @Controller('notes')
    class Endpoint {
      @Post()
      async post(
        @Req() request: Requested,
        @Res() response: ServerResponse & { readonly raw?: ServerResponse; hijack?(): void },
      ) {
        response.hijack?.();
        await transport.serve(request.raw ?? request, response.raw ?? response, request.body);
      }
    }
    return Endpoint;
  }

  verifies('WAY-32', 'runs no handler for a request without authentication', async () => {
    for (const tells of [true, false]) {
      ran.length = 0;
      const open = new OwnTransport(tells);
      const app = await start(options(), {
        controllers: [endpoint(open), PlainTools],
        prepare: connect(open),
      });
      for (const headers of [{}, await bearer()]) {
        const answer = await call(app, headers);
        expect(answer.text).toContain('"code":401');
      }
      expect(ran).toEqual([]);
      const transport = new OwnTransport(tells);
      const controller = endpoint(transport);
      UseGuards(BearerAuthGuard)(controller);
      const guarded = await start(options(), {
        controllers: [controller, PlainTools],
        prepare: connect(transport),
      });
      expect((await call(guarded, await bearer())).text).toContain('"open"');
      expect(ran).toEqual(['open']);
    }
  });
});

describe(`the line about a resource at startup, on ${defaultPlatform}`, () => {
  /** Keeps the lines of the module. */
  class Lines extends RecordingLogger {
    readonly logged: string[] = [];

    override log(message?: unknown, context?: unknown): void {
      if (context === 'McpAuth') this.logged.push(String(message));
    }
  }

  async function said(
    given: McpAuthModuleOptions,
    parts: AppParts,
  ): Promise<Pick<Lines, 'logged' | 'warnings'>> {
    const lines = new Lines();
    await startCreated(given, { ...parts, log: lines });
    return lines;
  }

  const offline = { resources: offlineResource(NOTES) };
  const protecting = (resource: string, path: string) =>
    `Protecting ${resource} (metadata at https://api.example.com${PRM}${path}, tokens from https://as.example)`;

  @Controller('notes')
  class Open {
    @Get()
    read() {
      return 'notes';
    }
  }
  @Controller('notes')
  @UseGuards(BearerAuthGuard)
  class Guarded extends Open {}

  verifies('WAY-36', 'is a warning if no guarded route serves the resource', async () => {
    @Controller('skipped')
    @SkipBearerAuth()
    class Skipped extends Open {}
    for (const controllers of [[], [Open], [Skipped], [PlainTools]]) {
      const { logged, warnings } = await said(offline, { controllers });
      expect([logged, warnings]).toEqual([[], [unprotected(NOTES)]]);
    }
  });

  verifies(
    'WAY-36',
    'says that the resource is protected by a guard, a middleware or early authentication',
    async () => {
      @Module({ controllers: [Open] })
      class Covered {
        configure(consumer: MiddlewareConsumer) {
          consumer.apply(BearerAuthMiddleware).forRoutes('notes');
        }
      }
      class OwnMiddleware extends BearerAuthMiddleware {}
      @Module({ controllers: [Open] })
      class CoveredByOwn {
        configure(consumer: MiddlewareConsumer) {
          consumer.apply(OwnMiddleware).forRoutes('notes');
        }
      }
      const cases: [McpAuthModuleOptions, AppParts][] = [
        [offline, { controllers: [Guarded] }],
        [offline, { imports: [Covered] }],
        [offline, { imports: [CoveredByOwn] }],
        [{ ...offline, earlyAuthentication: true }, { controllers: [Open] }],
      ];
      for (const [given, parts] of cases) {
        const { logged, warnings } = await said(given, parts);
        expect([logged, warnings]).toEqual([[protecting(NOTES, '/notes')], []]);
      }
      const global = await said(offline, {
        controllers: [Open],
        prepare: (nest) => void nest.useGlobalGuards(nest.get(BearerAuthGuard)),
      });
      expect(global.logged).toEqual([protecting(NOTES, '/notes')]);
    },
  );

  verifies('WAY-36', 'is decided for each resource by itself', async () => {
    @ProtectedResource(NOTES)
    @Controller('notes')
    class OfNotes extends Guarded {}
    const resources = [NOTES, ADMIN].map((resource) => offlineResource(resource));
    const { logged, warnings } = await said({ resources }, { controllers: [OfNotes] });
    expect(logged).toEqual([protecting(NOTES, '/notes')]);
    expect(warnings).toEqual([unprotected(ADMIN, ` and @ProtectedResource('${ADMIN}')`)]);
  });

  verifies('WAY-36', 'is not logged without HTTP', async () => {
    const lines = new Lines();
    const { NestFactory } = await import('@nestjs/core');
    const module = McpAuthModule.forRoot(offline);
    const app = await NestFactory.createApplicationContext(module, { logger: lines, abortOnError: false });
    await app.close();
    expect([lines.logged, lines.warnings]).toEqual([[], []]);
  });
});
