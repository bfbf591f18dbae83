import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect } from 'vitest';
import { BearerAuthMiddleware, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { type Platform, PLATFORMS, type RunningApp, startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { OAUTH } from '../../fixtures/discovery.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { sendRawRequest } from '../../fixtures/raw-request.js';
import { NOTES, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken } = notesRejections('');

let ran = 0;

/** A handler that does not look at its path, as a GraphQL endpoint does not. */
function catchAll(_: IncomingMessage, response: ServerResponse): void {
  ran += 1;
  response.end('ran');
}

@Module({})
class CatchAllModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(BearerAuthMiddleware, catchAll).forRoutes('{*path}');
  }
}

/** The applications whose middleware covers all paths, with the paths at which the handler is reached. */
const COVERAGES: readonly (readonly [
  name: string,
  on: readonly Platform[],
  start: (options: McpAuthModuleOptions, platform: Platform) => Promise<RunningApp>,
])[] = [
  [
    'consumer.apply()',
    PLATFORMS,
    (options, platform) => startCreated(options, { platform, imports: [CatchAllModule] }),
  ],
  ...['/', '/:tenant'].map(
    (path) =>
      [
        `app.use('${path}')`,
        ['express'],
        (options: McpAuthModuleOptions) =>
          startCreated(options, {
            platform: 'express',
            prepare: (app) => {
              const bearerAuth = app.get(BearerAuthMiddleware);
              app.use(path, bearerAuth.use.bind(bearerAuth), catchAll);
            },
          }),
      ] as const,
  ),
];

for (const [name, platforms, startCovered] of COVERAGES) {
  describe.each(platforms)(`a handler of all paths behind ${name}, on %s`, (platform) => {
    verifies('WAY-10', 'sees no request for a metadata document; the middleware serves it', async () => {
      const as = closeAfterTest(await LoopbackAuthorizationServer.start());
      const options = { resource: NOTES, authorizationServers: [as.issuer] };
      const app = await startCovered(
        { resources: options, legacyAuthorizationServerMetadata: true },
        platform,
      );
      ran = 0;
      const send = (target: string, method = 'GET') => sendRawRequest(app.origin, { target, method });
      for (const prefix of ['', 'http://x']) {
        const own = await send(`${prefix}${PRM}/notes?query={secrets}`);
        expect([own.status, own.json]).toMatchObject([200, { resource: NOTES }]);
        expect((await send(`${prefix}${PRM}/notes/`)).json).toEqual(own.json);
        const copy = await send(`${prefix}${OAUTH}`);
        expect([copy.status, copy.json]).toMatchObject([200, { issuer: as.issuer }]);
        for (const path of [`${PRM}/notes`, OAUTH]) {
          const { status, headers, text } = await send(`${prefix}${path}`, 'HEAD');
          expect([status, headers['etag'] !== undefined, text]).toEqual([200, true, '']);
          const post = await send(`${prefix}${path}`, 'POST');
          expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS']);
        }
      }
      expect(ran).toBe(0);
      // Routers take this for a path, a host or nothing; the handler may not run for any of them.
      for (const path of [`${PRM}/notes?query={secrets}`, OAUTH]) await send(`http://x:acme${path}`);
      expect(ran).toBe(0);
      // One character away from a document.
      for (const path of [`${PRM}/note`, `${PRM}/notes//`, `${OAUTH}x`, `${OAUTH}/notes`, '/notes']) {
        expect({ path, ...rejectedAs(await send(path)) }).toEqual({ path, ...noToken });
      }
      expect(ran).toBe(0);
      const token = [`Authorization: Bearer ${await as.token({ aud: NOTES })}`];
      expect((await sendRawRequest(app.origin, { target: '/notes', lines: token })).text).toBe('ran');
    });
  });
}
