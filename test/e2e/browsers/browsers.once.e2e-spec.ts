import { Controller, Get, type INestApplication, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { BearerAuthGuard, BearerAuthMiddleware } from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const APP = 'https://app.example';
const EVIL = 'https://app.example.evil';
const READABLE = {
  'access-control-allow-origin': APP,
  vary: 'Origin',
  'access-control-expose-headers': 'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, MCP-Protocol-Version',
};

/** The part of a Fastify instance that is used. */
interface FastifyInstance {
  get(path: string, handler: (request: unknown, reply: { hijack(): { raw: ServerResponse } }) => void): void;
}

/** Guarded, and at another path than the resource has. */
@Controller('elsewhere')
@UseGuards(BearerAuthGuard)
class ElsewhereController {
  @Get()
  get(): string {
    return 'elsewhere';
  }
}

describe.each(PLATFORMS)('a page of another origin, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  let authorization: string;

  const startWith = (prepare?: (nest: INestApplication) => void) =>
    startApp(
      { resources: { resource: NOTES, authorizationServers: [as.issuer], allowedOrigins: [APP] } },
      { controllers: [NotesController, ElsewhereController], prepare, platform },
    );

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    app = await startWith();
    authorization = `Bearer ${await as.token({ aud: NOTES })}`;
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  const preflight = (path: string, origin: string, to = app): Promise<HttpAnswer> =>
    to.send(path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-other',
      },
    });

  verifies(
    ['ORG-07', 'F104'],
    'gets an answer to its preflight without a token if its origin is allowed',
    async () => {
      for (const path of ['/notes', '/notes/', '/notes/1', '/NOTES']) {
        const { status, headers, text } = await preflight(path, APP);
        expect({ status, text }).toEqual({ status: 204, text: '' });
        expect(headers).toMatchObject({
          'access-control-allow-origin': APP,
          'access-control-allow-methods': 'GET, POST, DELETE',
          'access-control-allow-headers': 'authorization, content-type',
        });
        expect(headers).not.toHaveProperty('access-control-allow-credentials');
      }
    },
  );

  verifies(['ORG-07', 'ORG-02'], 'is rejected by its preflight if its origin is not allowed', async () => {
    const { status, headers, json } = await preflight('/notes', EVIL);
    expect({ status, json }).toEqual({
      status: 403,
      json: { error: 'forbidden_origin', error_description: "The request's Origin is not allowed here" },
    });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(headers).not.toHaveProperty('www-authenticate');
  });

  verifies(['CHL-19', 'F104'], 'can read the challenge, and the answer with a token', async () => {
    for (const path of ['/notes', '/elsewhere']) {
      const rejected = await app.send(path, { headers: { origin: APP } });
      expect([path, rejected.status]).toEqual([path, 401]);
      expect(rejected.headers).toMatchObject({
        ...READABLE,
        'www-authenticate': `Bearer resource_metadata="${NOTES_METADATA}"`,
      });
      const admitted = await app.send(path, { headers: { origin: APP, authorization } });
      expect([path, admitted.status]).toEqual([path, 200]);
      expect(admitted.headers).toMatchObject(READABLE);
    }
  });

  verifies('ORG-01', 'gets 403 with a good token if its origin is not allowed', async () => {
    for (const path of ['/notes', '/elsewhere']) {
      const { status, headers } = await app.send(path, { headers: { origin: EVIL, authorization } });
      expect([path, status, headers['www-authenticate'], headers['access-control-allow-origin']]).toEqual([
        path,
        403,
        undefined,
        undefined,
      ]);
    }
  });

  verifies('CHL-19', 'can read the challenge also under a CORS setting of the application', async () => {
    const own = await startWith((nest) => {
      nest.enableCors({ origin: APP, exposedHeaders: ['X-Total'] });
    });
    try {
      const { status, headers } = await own.send('/notes', { headers: { origin: APP } });
      expect(status).toBe(401);
      expect(headers['access-control-allow-origin']).toBe(APP);
      const exposed = headers['access-control-expose-headers']?.split(/,\s*/);
      expect(exposed).toEqual(expect.arrayContaining(['WWW-Authenticate', 'X-Total']));
      expect((await own.send('/notes', { headers: { origin: EVIL, authorization } })).status).toBe(403);
      expect((await preflight('/notes', EVIL, own)).status).toBe(403);
      expect(await preflight('/notes', APP, own)).toMatchObject({
        status: 204,
        headers: {
          'access-control-allow-origin': APP,
          'access-control-allow-methods': 'GET, POST, DELETE',
          'access-control-allow-headers': 'authorization, content-type',
        },
      });
      const elsewhere = await preflight('/elsewhere', APP, own);
      expect(elsewhere.headers['access-control-allow-methods']).toMatch(/^GET,HEAD,/);
    } finally {
      await own.close();
    }
  });

  verifies(
    ['ORG-01', 'ORG-02'],
    'does not reach an unguarded route if its origin is not allowed',
    async () => {
      let ran = 0;
      const handle = (_: unknown, response: { end(text: string): void }): void => {
        ran += 1;
        response.end('ran');
      };
      const own = await startWith((nest) => {
        if (platform === 'express') {
          const middleware = nest.get(BearerAuthMiddleware);
          nest.use('/notes/raw', handle);
          nest.use('/raw', middleware.use.bind(middleware), handle);
        } else {
          const instance = nest.getHttpAdapter().getInstance() as FastifyInstance;
          instance.get('/notes/raw', (request, reply) => {
            handle(request, reply.hijack().raw);
          });
        }
      });
      try {
        expect((await own.send('/notes/raw', { headers: { origin: EVIL, authorization } })).status).toBe(403);
        expect(ran).toBe(0);
        expect((await own.send('/notes/raw', { headers: { origin: APP } })).status).toBe(200);
        if (platform === 'fastify') return;
        expect((await own.send('/raw', { headers: { origin: EVIL, authorization } })).status).toBe(403);
        expect(ran).toBe(1);
        expect((await own.send('/raw', { headers: { origin: APP, authorization } })).status).toBe(200);
        expect(ran).toBe(2);
      } finally {
        await own.close();
      }
    },
  );

  verifies('CHL-13', 'does not change the answer to a client that sends no Origin', async () => {
    const { headers } = await app.send('/notes');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(headers).not.toHaveProperty('access-control-expose-headers');
  });
});
