import {
  Controller,
  Get,
  type HttpServer,
  type MiddlewareConsumer,
  Module,
  type NestModule,
} from '@nestjs/common';
import { describe, expect } from 'vitest';
import { BearerAuthMiddleware, McpAuthEvents, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { type Platform, PLATFORMS, type RunningApp, startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { sendRawRequest } from '../../fixtures/raw-request.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken } = notesRejections('notes:read');

/** A query, a fragment or nothing where the path must begin: routers read different paths from these. */
const MALFORMED = [
  ...['http://x?/notes', 'HTTP://X?/notes', 'http://x?x=/notes', 'http://x?/notes?y', 'http://x:1?/notes'],
  ...['https://a@x?/notes', 'http://u:p@x?/notes', 'http://[::1]?/notes', 'ftp://x?/notes', 'http://x?'],
  ...[
    'http://x?//notes',
    'http://x?/x/../notes',
    'http://x?/%6eotes',
    'http://x?/other',
    'http://x?y/notes/x',
  ],
];

/** Node's parser may reject these by itself, and some versions of Fastify read `/notes` from the empty authority. */
const REJECTED_BY_ANY = [
  'http://x#/notes',
  'http:///notes',
  'http://x\\/notes',
  'http://x;?/notes',
  'x:/notes',
];

/** One character away from a malformed one. */
const WELL_FORMED = [
  'http://x/notes',
  'http://x/notes?',
  'https://a@x/notes',
  'http://[::1]/notes',
  '/notes?/notes',
];

const REJECTION = {
  status: 400,
  challenge: undefined,
  json: {
    error: 'invalid_request',
    error_description: 'The request target is neither a path nor a URL with a path',
  },
};

let ran = 0;

@Controller('notes')
class NotesController {
  @Get()
  all(): string {
    ran += 1;
    return 'ran';
  }
}

@Module({ controllers: [NotesController] })
class CoveredModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(BearerAuthMiddleware).forRoutes(NotesController);
  }
}

/** A route as a library mounts it on the platform. */
function mountNotes(server: HttpServer): void {
  server.get('/notes', (_: unknown, response: { send(text: string): void }) => {
    ran += 1;
    response.send('ran');
  });
}

type Start = (options: McpAuthModuleOptions, platform: Platform) => Promise<RunningApp>;

const MOUNTINGS: Record<string, Start> = {
  'a route of a library, with early authentication': (options, platform) =>
    startCreated(
      { ...options, earlyAuthentication: true },
      {
        platform,
        prepare: (app) => {
          mountNotes(app.getHttpAdapter());
        },
      },
    ),
  'a controller behind consumer.apply()': (options, platform) =>
    startCreated(options, { platform, imports: [CoveredModule] }),
};

describe.each(PLATFORMS)('a malformed request target, on %s', (platform) => {
  for (const [mounting, startMounted] of Object.entries(MOUNTINGS)) {
    verifies('WAY-01', `is 400 before anything reads its path: ${mounting}`, async () => {
      const as = closeAfterTest(await LoopbackAuthorizationServer.start());
      const resources = {
        resource: NOTES,
        authorizationServers: [as.issuer],
        requiredScopes: ['notes:read'],
      };
      const { app, origin } = await startMounted({ resources }, platform);
      const reasons: unknown[] = [];
      app.get(McpAuthEvents).on('access_denied', ({ reason, status }) => reasons.push([reason, status]));
      const token = [`Authorization: Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}`];
      ran = 0;
      for (const lines of [[], token]) {
        for (const target of MALFORMED) {
          for (const method of ['GET', 'POST']) {
            const answer = rejectedAs(await sendRawRequest(origin, { method, target, lines }));
            expect({ target, method, ...answer }).toEqual({ target, method, ...REJECTION });
          }
        }
      }
      expect(reasons).toEqual(Array.from({ length: 4 * MALFORMED.length }, () => ['request_target', 400]));
      for (const target of REJECTED_BY_ANY) {
        const { status } = await sendRawRequest(origin, { target });
        expect([400, 401, 404]).toContain(status);
        expect({ target, ran }).toEqual({ target, ran: 0 });
      }
      for (const [index, target] of WELL_FORMED.entries()) {
        expect(rejectedAs(await sendRawRequest(origin, { target }))).toEqual(noToken);
        expect((await sendRawRequest(origin, { target, lines: token })).text).toBe('ran');
        expect(ran).toBe(index + 1);
      }
    });
  }
});
