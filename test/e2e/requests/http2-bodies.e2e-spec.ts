import {
  type INestApplication,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type Type,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import { describe, expect } from 'vitest';
import { BearerAuthMiddleware, type McpAuthModuleOptions, McpHandlerSource } from 'nestjs-mcp-auth';
import { startCreated, type AppParts } from '../../fixtures/app.js';
import { toolCall } from '../../fixtures/mcp-endpoint.js';
import { ISSUER, NOTES, offlineResource } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

@Injectable()
class Declared extends McpHandlerSource {
  declarations() {
    return [
      { kind: 'tool', name: 'purge', requirements: ['notes:admin'] },
      { kind: 'tool', name: 'list', requirements: [] },
    ] as const;
  }
}

const ran: unknown[] = [];

/** A handler that reads the request by itself. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  ran.push(JSON.parse(body));
  response.end('ran');
}

function covering(...chain: unknown[]): Type {
  @Module({})
  class Covering implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer.apply(...(chain as Type[])).forRoutes('notes');
    }
  }
  return Covering;
}

const MOUNTINGS: readonly [string, AppParts, Partial<McpAuthModuleOptions>][] = [
  ['consumer.apply(BearerAuthMiddleware, handler)', { imports: [covering(BearerAuthMiddleware, serve)] }, {}],
  [
    'early authentication before a handler among the middleware',
    { prepare: (app: INestApplication) => void app.use('/notes', serve) },
    { earlyAuthentication: true },
  ],
];

/** Sends a POST over HTTP/2. Without `Content-Length`, only the frames tell that there is a body. */
function post(origin: string, token: string, body: object, hasLength: boolean): Promise<[number, string]> {
  const text = JSON.stringify(body);
  const session = connect(origin);
  return new Promise<[number, string]>((resolve, reject) => {
    session.on('error', reject);
    const request = session.request({
      ':method': 'POST',
      ':path': '/notes',
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...(hasLength && { 'content-length': String(Buffer.byteLength(text)) }),
    });
    let status = 0;
    let received = '';
    request.on('response', (headers) => (status = Number(headers[':status'])));
    request.on('data', (chunk) => (received += String(chunk)));
    request.on('end', () => {
      resolve([status, received]);
    });
    request.on('error', reject);
    request.end(text);
  }).finally(() => {
    session.destroy();
  });
}

describe.each(MOUNTINGS)('bodies of HTTP/2 on Fastify, with %s', (_, parts, options) => {
  verifies('WAY-02', 'are checked with and without Content-Length', async () => {
    const app = await startCreated(
      {
        resources: offlineResource(NOTES),
        verifier: (token) => ({ iss: ISSUER, aud: NOTES, sub: 'u1', scope: `notes:${token}` }),
        ...options,
      },
      { ...parts, adapter: new FastifyAdapter({ http2: true }), providers: [Declared] },
    );
    ran.length = 0;
    for (const hasLength of [true, false]) {
      const [status, text] = await post(app.origin, 'read', toolCall('purge'), hasLength);
      expect([hasLength, status, text]).toEqual([
        hasLength,
        403,
        '{"error":"insufficient_scope","error_description":"The access token does not grant what this operation needs"}',
      ]);
      expect((await post(app.origin, 'read', toolCall('unknown'), hasLength))[0]).toBe(403);
      expect(ran).toEqual([]);
      // Twice: the second time the token is known, and nothing waits.
      for (const token of ['read', 'read'])
        expect(await post(app.origin, token, toolCall('list'), hasLength)).toEqual([200, 'ran']);
      expect(await post(app.origin, 'admin', toolCall('purge'), hasLength)).toEqual([200, 'ran']);
      expect(ran.splice(0)).toEqual([toolCall('list'), toolCall('list'), toolCall('purge')]);
    }
  });
});
