import { type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { McpAuthModule, type VerifyToken } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { NotesController } from '../fixtures/notes.controller.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { send } from '../fixtures/http.js';
import { NOTES } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';
import type * as Examples from './engine-examples.js';

describe('the examples of the engine in the documents', () => {
  let as: TestAuthorizationServer;
  let examples: typeof Examples;

  beforeAll(async () => {
    const introspectionClient = { clientId: 'notes-server', clientSecret: 's3cret' };
    as = await TestAuthorizationServer.start({ introspectionClient });
    Object.assign(process.env, { MCP_RESOURCE: NOTES, MCP_ISSUER: as.issuer, MCP_CLIENT_SECRET: 's3cret' });
    process.env['MCP_USERINFO'] = `${as.origin}/userinfo`;
    examples = await import('./engine-examples.js');
  });

  afterAll(() => as.close());

  async function start(module: Type): Promise<(path: string, token?: string) => Promise<[number, unknown]>> {
    const app: INestApplication = await NestFactory.create(module, { logger: false });
    closeAfterTest(app);
    await app.listen(0, '127.0.0.1');
    const origin = await app.getUrl();
    return async (path, token) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const { status, json, text } = await send(origin, path, { headers });
      return [status, json ?? text];
    };
  }

  it('ask about opaque tokens', async () => {
    const resources = { resource: NOTES, authorizationServers: [examples.opaque] };

    @Module({ imports: [McpAuthModule.forRoot({ resources })], controllers: [NotesController] })
    class Opaque {}
    const get = await start(Opaque);
    expect(await get('/notes', as.issueOpaqueToken({ audience: NOTES }))).toEqual([200, 'notes']);
    expect((await get('/notes', as.issueOpaqueToken({ audience: `${NOTES}2` })))[0]).toBe(401);
    expect((await get('/notes', 'unknown-token'))[0]).toBe(401);
  });

  verifies('F85', 'ask userinfo, and say that it names no audience', async () => {
    let status = 200;
    as.serve('/userinfo', (request, response) => {
      const isKnown = request.headers.authorization === 'Bearer known-token';
      response.writeHead(isKnown ? status : 401, { location: '/elsewhere' });
      response.end(JSON.stringify({ sub: 'somebody' }));
    });
    const withVerifier = (verifier: VerifyToken): Promise<Awaited<ReturnType<typeof start>>> => {
      const resources = { resource: NOTES, authorizationServers: [as.issuer], verifier };
      @Module({ imports: [McpAuthModule.forRoot({ resources })], controllers: [NotesController] })
      class Userinfo {}
      return start(Userinfo);
    };
    const get = await withVerifier(examples.askUserinfo);
    expect(await get('/notes', 'known-token')).toEqual([200, 'notes']);
    expect((await get('/notes', 'known-toke'))[0]).toBe(401);
    for (status of [500, 302, 403, 204]) {
      expect([status, (await get('/notes', 'known-token'))[0]]).toEqual([status, 503]);
    }
    status = 200;
    // Without a word on the audience, what userinfo says opens nothing.
    const silent = await withVerifier(async (token, context) => {
      return (await examples.askUserinfo(token, context))?.claims ?? null;
    });
    expect((await silent('/notes', 'known-token'))[0]).toBe(401);
  });

  it('verify by a class of the application, and tell of what happens', async () => {
    @Module({
      imports: [examples.OwnVerifierModule],
      controllers: [NotesController, examples.Operations],
    })
    class Own {}
    const get = await start(Own);
    expect(await get('/notes', 'known-token')).toEqual([200, 'notes']);
    expect((await get('/notes', 'other-token'))[0]).toBe(401);
    expect(examples.audit).toEqual([`inactive at ${NOTES}`]);
    const [, report] = await get('/health');
    expect(report).toMatchObject({
      isHealthy: true,
      authorizationServers: [{ issuer: as.issuer, status: 'up' }],
    });
    expect(await get('/health/ready')).toMatchObject([200, { isHealthy: true }]);
  });
});
