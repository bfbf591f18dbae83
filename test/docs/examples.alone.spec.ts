import { type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { send } from '../fixtures/http.js';
import { NOTES, ORIGIN, PRM } from '../fixtures/resources.js';
import type * as Examples from './examples.js';

describe('the examples in the documents', () => {
  let one: LoopbackAuthorizationServer;
  let other: LoopbackAuthorizationServer;
  let examples: typeof Examples;

  beforeAll(async () => {
    one = await LoopbackAuthorizationServer.start();
    other = await LoopbackAuthorizationServer.start();
    other.at('/custom.json', other.metadata({ response_types_supported: undefined }));
    Object.assign(process.env, {
      MCP_RESOURCE: NOTES,
      MCP_ISSUER: one.issuer,
      MCP_ISSUERS: `${one.issuer},${other.issuer}`,
      MCP_METADATA_URL: `${other.origin}/custom.json`,
    });
    examples = await import('./examples.js');
  });

  afterAll(async () => {
    await one.close();
    await other.close();
  });

  async function withApp(module: Type, use: (origin: string) => Promise<void>): Promise<void> {
    const app: INestApplication = await NestFactory.create(module, { logger: false });
    await app.listen(0, '127.0.0.1');
    try {
      await use(await app.getUrl());
    } finally {
      await app.close();
    }
  }

  const document = async (origin: string, path: string) => (await send(origin, `${PRM}${path}`)).json;

  it('configure from a service', async () => {
    await withApp(examples.AsyncModule, async (origin) => {
      expect(await document(origin, '/notes')).toMatchObject({ authorization_servers: [one.issuer] });
    });
  });

  it('protect a plain route', async () => {
    @Module({ imports: [examples.AsyncModule], controllers: [examples.ReportsController] })
    class Reports {}
    await withApp(Reports, async (origin) => {
      const get = async (scope: string) =>
        send(origin, '/reports', {
          headers: { authorization: `Bearer ${await one.token({ aud: NOTES, scope })}` },
        });
      expect((await get('reports:read')).json).toEqual({ reportsOf: 'u1' });
      expect((await get('reports:write')).status).toBe(403);
    });
  });

  it('serve two resources with two authorization servers', async () => {
    await withApp(examples.SeveralResourcesModule, async (origin) => {
      expect(await document(origin, '/admin')).toMatchObject({ authorization_servers: [other.issuer] });
      const get = async (path: string, as: LoopbackAuthorizationServer) => {
        const token = await as.token({ aud: `${ORIGIN}${path}` });
        return (await send(origin, path, { headers: { authorization: `Bearer ${token}` } })).status;
      };
      expect([await get('/notes', one), await get('/notes', other)]).toEqual([200, 401]);
      expect([await get('/admin', other), await get('/admin', one)]).toEqual([200, 401]);
    });
  });

  it('find authorization servers in every way', async () => {
    const resources = { resource: NOTES, authorizationServers: examples.servers };
    @Module({ imports: [McpAuthModule.forRoot({ resources })] })
    class Servers {}
    await withApp(Servers, async (origin) => {
      const expected = [one.issuer, other.issuer, 'https://auth.example.com'];
      expect(await document(origin, '/notes')).toMatchObject({ authorization_servers: expected });
    });
  });
});
