import { describe, expect } from 'vitest';
import { type RunningApp, start } from '../../fixtures/app.js';
import { OAUTH } from '../../fixtures/discovery.js';
import { sendRaw } from '../../fixtures/http.js';
import { NOTES, offlineResource, PRM } from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

const LOCAL = 'http://localhost:3000/notes';
const DOCUMENT = `${PRM}/notes`;
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST'] as const;
const STATUS = { GET: 200, HEAD: 200, OPTIONS: 204, POST: 405 };
const FORBIDDEN = {
  error: 'forbidden_host',
  error_description: "The request's Host is not allowed here",
};

async function expectForbidden(app: RunningApp, path: string, host: string): Promise<void> {
  for (const method of METHODS) {
    const { status, headers, text, json } = await app.send(path, { method, headers: { host } });
    expect([method, status]).toEqual([method, 403]);
    expect(method === 'HEAD' ? text : json).toEqual(method === 'HEAD' ? '' : FORBIDDEN);
    for (const name of ['access-control-allow-origin', 'www-authenticate', 'etag']) {
      expect(headers).not.toHaveProperty(name);
    }
  }
}

async function expectServed(app: RunningApp, path: string, host: string): Promise<void> {
  const headers = { host, origin: 'https://evil.example' };
  for (const method of METHODS) {
    const answer = await app.send(path, { method, headers });
    expect([host, method, answer.status]).toEqual([host, method, STATUS[method]]);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  }
}

describe('a well-known document', () => {
  verifies(
    ['PRM-43', 'LEG-02', 'H13'],
    'is served to any Origin, and on loopback to loopback hosts',
    async () => {
      const as = await server();
      const app = await start({
        resources: { resource: LOCAL, authorizationServers: [as.issuer] },
        legacyAuthorizationServerMetadata: true,
      });
      for (const path of [DOCUMENT, OAUTH]) {
        for (const host of ['localhost:3000', '127.0.0.1', '[::1]:1']) await expectServed(app, path, host);
        for (const host of ['evil.example', 'localhost.evil.example:3000']) {
          await expectForbidden(app, path, host);
        }
      }
      for (const path of [`${PRM}/note`, '/nowhere']) {
        expect((await app.send(path, { headers: { host: 'evil.example' } })).status).toBe(404);
      }
    },
  );

  verifies(
    ['PRM-43', 'LEG-02'],
    'is served elsewhere to any host, or to those that are configured',
    async () => {
      const as = await server();
      const open = { resource: NOTES, authorizationServers: [as.issuer] };
      const app = await start({ resources: open, legacyAuthorizationServerMetadata: true });
      for (const path of [DOCUMENT, OAUTH]) await expectServed(app, path, 'evil.example');
      const closed = { ...open, allowedHosts: ['mcp.internal'] };
      const strict = await start({ resources: closed, legacyAuthorizationServerMetadata: true });
      for (const path of [DOCUMENT, OAUTH]) {
        for (const host of ['mcp.internal', 'api.example.com']) await expectServed(strict, path, host);
        await expectForbidden(strict, path, 'mcp.interna');
      }
    },
  );

  verifies(
    ['PRM-43', 'LEG-02'],
    'is served to the hosts of its own resource, and the copy to those of all',
    async () => {
      const as = await server();
      const servers = { authorizationServers: [as.issuer] };
      const app = await start({
        resources: [
          { resource: NOTES, ...servers, allowedHosts: ['a.internal'] },
          { resource: 'https://other.example/other', ...servers, allowedHosts: ['b.internal'] },
        ],
        legacyAuthorizationServerMetadata: true,
      });
      await expectServed(app, DOCUMENT, 'a.internal');
      await expectForbidden(app, DOCUMENT, 'b.internal');
      for (const host of ['a.internal', 'b.internal', 'other.example']) await expectServed(app, OAUTH, host);
      await expectForbidden(app, OAUTH, 'c.internal');
    },
  );

  verifies(['PRM-43', 'ORG-08'], 'is not served to a request that names two hosts', async () => {
    const app = await start({ resources: offlineResource(NOTES) });
    const get = (lines: string): Promise<string> =>
      sendRaw(app.origin, `GET ${DOCUMENT} HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
    expect(await get('Host: a\r\nHost: b\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await get('Host: a\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });
});
