import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { type HttpAnswer, type HttpRequestOptions, send } from '../fixtures/http.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { ORIGIN, PRM } from '../fixtures/resources.js';
import type * as Examples from './mounting-examples.js';

describe('the examples of existing apps in the documents', () => {
  let as: LoopbackAuthorizationServer;
  let examples: typeof Examples;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    as = await LoopbackAuthorizationServer.start();
    process.env['MCP_ISSUER'] = as.issuer;
    examples = await import('./mounting-examples.js');
  });

  afterAll(() => as.close());

  type Ask = (path: string, options?: HttpRequestOptions) => Promise<HttpAnswer>;

  async function serve(making: Promise<INestApplication>): Promise<Ask> {
    const app = closeAfterTest(await making);
    await app.listen(0, '127.0.0.1');
    const origin = await app.getUrl();
    return (path, options) => send(origin, path, options);
  }
  const bearer = async (path: string) => ({
    authorization: `Bearer ${await as.token({ aud: `${ORIGIN}${path}` })}`,
  });
  const challenge = (path: string): string => `Bearer resource_metadata="${ORIGIN}${PRM}${path}"`;

  it('join a global guard, a prefix and Fastify', async () => {
    const ask = await serve(examples.createExisting());
    expect(await ask(`${PRM}/api/notes`)).toMatchObject({
      status: 200,
      json: { resource: `${ORIGIN}/api/notes` },
    });
    const rejected = await ask('/api/notes', { method: 'POST' });
    expect([rejected.status, rejected.headers['www-authenticate']]).toEqual([401, challenge('/api/notes')]);
    const admitted = await ask('/api/notes', { method: 'POST', headers: await bearer('/api/notes') });
    expect([admitted.status, admitted.json]).toEqual([201, { subject: 'u1' }]);
    expect((await ask('/api/account', { headers: await bearer('/api/notes') })).status).toBe(403);
  });

  it('make the guard a global one', async () => {
    const ask = await serve(NestFactory.create(examples.GlobalModule));
    expect(await ask('/health')).toMatchObject({ status: 200, text: 'up' });
    expect((await ask('/reports')).headers['www-authenticate']).toBe(challenge('/reports'));
    expect(await ask('/reports', { headers: await bearer('/reports') })).toMatchObject({ text: 'reports' });
    expect((await ask(`${PRM}/reports`)).status).toBe(200);
  });

  it('cover what no guard does, by middleware and early', async () => {
    for (const create of [examples.createWithMiddleware, examples.createEarly]) {
      const ask = await serve(create());
      const headers: Record<string, string> =
        create === examples.createEarly ? { origin: 'https://app.example.com' } : {};
      const rejected = await ask('/reports', { headers });
      expect([rejected.status, rejected.headers['www-authenticate']]).toEqual([401, challenge('/reports')]);
      if (create === examples.createEarly) {
        expect(rejected.headers).toMatchObject({
          'access-control-allow-origin': 'https://app.example.com',
          'access-control-expose-headers':
            'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, MCP-Protocol-Version',
        });
      }
      const admitted = await ask('/reports', { headers: await bearer('/reports') });
      expect(admitted).toMatchObject({ status: 200, text: 'reports' });
      expect((await ask(`${PRM}/reports`)).status).toBe(200);
    }
  });
});
