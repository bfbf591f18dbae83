import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { AddressInfo } from 'node:net';
import { startNotesServer } from '../../sample/quickstart/src/start.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

describe('sample/quickstart', () => {
  const resource = 'http://127.0.0.1:3000/notes';
  let as: LoopbackAuthorizationServer;
  let app: INestApplication;
  let origin: string;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: as.issuer });
    app = await startNotesServer(0, ['error']);
    origin = await app.getUrl();
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  const call = async (scope: string, name: string, args: object = {}, sub = 'u1') =>
    send(origin, '/notes', {
      method: 'POST',
      headers: { authorization: `Bearer ${await as.token({ aud: resource, scope, sub })}` },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } },
    });

  verifies('ORG-06', 'listens on loopback', () => {
    const server = app.getHttpServer() as { address(): AddressInfo };
    expect(server.address().address).toBe('127.0.0.1');
  });

  verifies('SCP-20', 'tells each tool who calls, and runs it with its scope only', async () => {
    const scopes = 'notes:read notes:write notes:admin';
    expect((await call('notes:read', 'whoami')).text).toContain('u1 with notes:read');
    expect((await call(scopes, 'add_note', { text: 'milk' })).text).toContain('1 notes');
    expect((await call('notes:read', 'list_notes')).text).toContain('milk');
    expect((await call('notes:read', 'list_notes', {}, 'u2')).text).toContain('no notes');
    expect((await call('notes:read notes:write', 'purge_notes')).status).toBe(403);
    expect((await call(scopes, 'purge_notes', {}, 'u2')).text).toContain('0 notes deleted');
    expect((await call(scopes, 'purge_notes')).text).toContain('1 notes deleted');
  });
});
