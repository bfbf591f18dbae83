import type { INestApplication } from '@nestjs/common';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

const API_KEY = 'the-key-of-the-shop';

describe('sample/existing-app', () => {
  let origin: string;
  let resource: string;
  let as: TestAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    const port = await freePort();
    origin = `http://127.0.0.1:${String(port)}`;
    resource = `${origin}/api/mcp`;
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: as.issuer, API_KEY });
    const { startShop } = await import('../../sample/existing-app/src/start.js');
    app = await startShop(port);
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  const bearer = async (changes: object = {}) => ({
    authorization: `Bearer ${await as.issueToken({ audience: resource, scopes: ['orders:read'], ...changes })}`,
  });
  const call = (headers: Record<string, string>, name: string, args: object = {}): Promise<HttpAnswer> =>
    send(origin, '/api/mcp', {
      method: 'POST',
      headers,
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } },
    });
  const orders = (headers: Record<string, string>, path = '/api/orders'): Promise<HttpAnswer> =>
    send(origin, path, { headers });
  const challenge = ({ headers }: HttpAnswer): string | undefined => headers['www-authenticate'];
  const metadata = (): string => `resource_metadata="${origin}/.well-known/oauth-protected-resource/api/mcp"`;

  it('runs on Fastify', () => {
    expect(app.getHttpAdapter().getType()).toBe('fastify');
  });

  it('leaves the REST routes to the guard that they had', async () => {
    const { status, json } = await orders({ 'x-api-key': API_KEY });
    expect([status, json]).toMatchObject([200, [{ item: 'tea' }, { item: 'coffee' }]]);
    for (const headers of [{}, { 'x-api-key': `${API_KEY}x` }, await bearer()]) {
      const rejected = await orders(headers);
      expect([rejected.status, challenge(rejected)]).toEqual([403, undefined]);
    }
    expect((await orders({ 'x-api-key': API_KEY }, '/orders')).status).toBe(404);
  });

  it('lets nobody in at the MCP endpoint but by a token', async () => {
    for (const headers of [{}, { 'x-api-key': API_KEY }] as Record<string, string>[]) {
      const rejected = await call(headers, 'list_orders');
      expect([rejected.status, challenge(rejected)]).toEqual([
        401,
        `Bearer scope="orders:read", ${metadata()}`,
      ]);
    }
    const wrong = await call(
      { ...(await bearer({ audience: origin })), 'x-api-key': API_KEY },
      'list_orders',
    );
    expect([wrong.status, challenge(wrong), wrong.json]).toEqual([
      401,
      `Bearer error="invalid_token", scope="orders:read", ${metadata()}, error_description="The access token is invalid or expired"`,
      { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
    ]);
    expect((await call(await bearer(), 'list_orders')).text).toContain('1 tea');
  });

  it('has routes and tools share what they know', async () => {
    const rejected = await call(await bearer(), 'cancel_order', { id: '2' });
    expect([rejected.status, challenge(rejected)]).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="orders:read orders:cancel", ${metadata()}, error_description="The access token does not grant what this operation needs"`,
    ]);
    expect((await orders({ 'x-api-key': API_KEY })).json).toMatchObject([{}, { cancelled: false }]);
    const both = await bearer({ scopes: ['orders:read', 'orders:cancel'] });
    expect((await call(both, 'cancel_order', { id: '2' })).text).toContain('"cancelled"');
    expect((await orders({ 'x-api-key': API_KEY })).json).toMatchObject([{}, { cancelled: true }]);
  });

  verifies(['PRM-09', 'PRM-40'], 'has its document outside of prefix and global guard', async () => {
    const { status, json } = await send(origin, '/.well-known/oauth-protected-resource/api/mcp');
    expect([status, json]).toMatchObject([200, { resource, authorization_servers: [as.issuer] }]);
    const { status: prefixed } = await send(origin, '/api/.well-known/oauth-protected-resource/api/mcp');
    expect(prefixed).toBe(404);
  });
});
