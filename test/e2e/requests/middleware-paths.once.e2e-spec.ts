import {
  Controller,
  Get,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  RequestMethod,
} from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { describe, expect } from 'vitest';
import { BearerAuthMiddleware, McpAuthModule } from 'nestjs-mcp-auth';
import { type Platform, PLATFORMS } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { sendRawRequest } from '../../fixtures/raw-request.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken } = notesRejections('notes:read');

let ran = 0;

@Controller('notes')
class NotesController {
  @Get()
  all(): string {
    ran += 1;
    return 'all notes';
  }

  @Get(':id')
  one(): string {
    ran += 1;
    return 'one note';
  }
}

/** The ways in which an application covers the controller and what is below its path. */
const COVERAGES: Record<string, (consumer: MiddlewareConsumer) => void> = {
  'forRoutes() with two paths': (consumer) => {
    consumer.apply(BearerAuthMiddleware).forRoutes('notes', 'notes/*path');
  },
  'forRoutes() with a controller': (consumer) => {
    consumer.apply(BearerAuthMiddleware).forRoutes(NotesController);
  },
  'forRoutes() with a method': (consumer) => {
    const method = RequestMethod.GET;
    consumer.apply(BearerAuthMiddleware).forRoutes({ path: 'notes', method }, { path: 'notes/:id', method });
  },
  'forRoutes() with all paths': (consumer) => {
    consumer.apply(BearerAuthMiddleware).forRoutes('{*path}');
  },
};

/** Settings of the router by which more targets lead to the same route. */
const ADAPTERS: Record<Platform, readonly (() => AbstractHttpAdapter)[]> = {
  express: [(): AbstractHttpAdapter => new ExpressAdapter()],
  fastify: [
    (): AbstractHttpAdapter => new FastifyAdapter(),
    (): AbstractHttpAdapter =>
      new FastifyAdapter({
        routerOptions: {
          caseSensitive: false,
          ignoreDuplicateSlashes: true,
          ignoreTrailingSlash: true,
        },
      }),
    (): AbstractHttpAdapter => new FastifyAdapter({ useSemicolonDelimiter: true }),
  ],
};

/** Spellings of the two paths. A router takes those that its settings allow. */
const SPELLINGS = [
  ...['/notes', '/notes?x', '/notes?/x', '/notes#', '/notes#x', '/notes#/x', '/notes#?x', '/notes?#'],
  ...[
    '/notes/',
    '/notes//',
    '//notes',
    '/./notes',
    '/x/../notes',
    '/\\notes',
    '/notes/#',
    '/notes/?',
    '/NOTES',
  ],
  ...[
    '/%6eotes',
    '/%6Eotes',
    '/n%6ftes',
    '/%6e%6f%74%65%73',
    '/%256eotes',
    '/notes%',
    '/notes%20',
    '/notes%00',
  ],
  ...[
    '/notes;',
    '/notes;x',
    '/notes;x?y',
    '/notes;/x',
    '/notes%3bx',
    '/notes%3fx',
    '/notes%23x',
    '/%2fnotes',
  ],
  ...['/notes/x', '/notes/x/', '/notes//x', '//notes/x', '/Notes/X', '/notes/x#', '/notes/x/#', '/notes/x;y'],
  ...[
    '/notes/%78',
    '/%6eotes/x',
    '/notes%2fx',
    '/notes/%2e',
    '/notes/./x',
    '/notes/y/../x',
    '/notes/%',
    '/notes/%ff',
  ],
];

/** What may stand before a path in a well-formed target: nothing, or scheme and authority (RFC 9112 section 3.2). */
const ORIGINS = [
  '',
  'http://x',
  'HTTP://X',
  'https://x',
  'http://u:p@x',
  'http://x:1',
  'http://[::1]',
  'x://x',
];

/** An application on 127.0.0.1, closed after its test. @returns its origin */
async function startCovered(
  issuer: string,
  adapter: AbstractHttpAdapter,
  cover: (consumer: MiddlewareConsumer) => void,
): Promise<string> {
  const resources = { resource: NOTES, authorizationServers: [issuer], requiredScopes: ['notes:read'] };
  @Module({ imports: [McpAuthModule.forRoot({ resources })], controllers: [NotesController] })
  class AppModule implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      cover(consumer);
    }
  }
  const app = closeAfterTest(
    await NestFactory.create(AppModule, adapter, { logger: false, abortOnError: false }),
  );
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

/** The targets for which a handler runs. */
async function running(
  origin: string,
  targets: readonly string[],
  lines: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const target of targets) {
    const before = ran;
    await sendRawRequest(origin, { target, lines });
    if (ran > before) found.push(target);
  }
  return found;
}

describe.each(PLATFORMS)('a route behind consumer.apply(BearerAuthMiddleware), on %s', (platform) => {
  for (const [name, cover] of Object.entries(COVERAGES)) {
    verifies('WAY-38', `runs for no spelling of its path without a token, covered by ${name}`, async () => {
      const as = closeAfterTest(await LoopbackAuthorizationServer.start());
      const token = [`Authorization: Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}`];
      for (const adapter of ADAPTERS[platform]) {
        const origin = await startCovered(as.issuer, adapter(), cover);
        expect(rejectedAs(await sendRawRequest(origin, { target: '/notes' }))).toEqual(noToken);
        expect(rejectedAs(await sendRawRequest(origin, { target: 'http://x/notes' }))).toEqual(noToken);
        const targets = ORIGINS.flatMap((prefix) => SPELLINGS.map((spelling) => prefix + spelling));
        expect(await running(origin, targets, [])).toEqual([]);
        // They lead there with one.
        // Express compares literal paths without decoding them.
        const decoded = platform === 'fastify' ? ['/%6eotes', '/%6eotes/x'] : [];
        const reached = ['/notes', '/notes/x', 'http://x/notes', 'http://x/notes/x', ...decoded];
        expect(await running(origin, reached, token)).toEqual(reached);
      }
    });
  }
});
