import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { send } from '../fixtures/http.js';
import { NOTES, PRM } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';

const DOCUMENT = `${PRM}/notes`;

describe('the metadata document in an app with a CORS setting of its own', () => {
  let as: LoopbackAuthorizationServer;
  let app: INestApplication;
  let origin: string;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };

    @Module({ imports: [McpAuthModule.forRoot({ resources })] })
    class AppModule {}
    app = await NestFactory.create(AppModule, { logger: false });
    app.enableCors({ origin: 'https://app.example', credentials: true });
    await app.listen(0, '127.0.0.1');
    origin = await app.getUrl();
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  const preflight = (path: string) =>
    send(origin, path, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://other.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    });

  verifies('F36', 'answers a preflight from any origin, whatever that setting is', async () => {
    const { status, headers, text } = await preflight(DOCUMENT);
    expect({ status, text }).toEqual({ status: 204, text: '' });
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers': 'mcp-protocol-version',
      vary: 'Access-Control-Request-Headers',
    });
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  });

  verifies('F36', 'gives the document to any origin, whatever that setting is', async () => {
    const { status, headers } = await send(origin, DOCUMENT, {
      headers: { origin: 'https://other.example' },
    });
    expect(status).toBe(200);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('leaves the preflights of all other paths to that setting', async () => {
    for (const path of ['/', `${DOCUMENT}x`]) {
      expect((await preflight(path)).headers['access-control-allow-origin']).toBe('https://app.example');
    }
  });
});
