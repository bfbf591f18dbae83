import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { describe, expect } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { send } from '../fixtures/http.js';
import { rejectedAs } from '../fixtures/notes-rejections.js';
import { startSample, stopSample } from '../fixtures/sample-process.js';
import { callerIn } from '../fixtures/tenant-app.js';
import { verifies } from '../verifies.js';

describe('sample/customers', () => {
  verifies(
    'TEN-44',
    'trusts its own issuer, and those of customers that are added while it runs',
    async () => {
      const servers = await Promise.all(Array.from({ length: 4 }, () => TestAuthorizationServer.start()));
      const [own, early, late, unknown] = servers as [
        TestAuthorizationServer,
        TestAuthorizationServer,
        TestAuthorizationServer,
        TestAuthorizationServer,
      ];
      const folder = await mkdtemp(join(tmpdir(), 'customers-'));
      const file = join(folder, 'customers.txt');
      await writeFile(file, `${early.issuer}\n`);
      const port = String(await freePort());
      const origin = `http://127.0.0.1:${port}`;
      const resource = `${origin}/whoami`;
      const started = await startSample('customers', 'Stop with Ctrl-C.', {
        MCP_RESOURCE: resource,
        MCP_ISSUER: own.issuer,
        CUSTOMERS_FILE: file,
        PORT: port,
      });
      const whoami = async (as: TestAuthorizationServer, audience = resource) => {
        const token = await as.issueToken({ audience, scopes: ['identity:read'], sub: 'ada' });
        return send(origin, '/whoami', {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } },
        });
      };
      const rejected = {
        status: 401,
        challenge:
          'Bearer error="invalid_token", scope="identity:read", ' +
          `resource_metadata="${origin}/.well-known/oauth-protected-resource/whoami", ` +
          'error_description="The access token is invalid or expired"',
        json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
      };
      try {
        await appendFile(file, `${late.issuer}\n`);
        for (const as of [own, early, late])
          expect(callerIn(await whoami(as))).toEqual({ issuer: as.issuer, subject: 'ada' });
        expect(rejectedAs(await whoami(early, resource.slice(0, -1)))).toMatchObject(rejected);
        expect(rejectedAs(await whoami(unknown))).toMatchObject(rejected);
        const document = await send(origin, '/.well-known/oauth-protected-resource/whoami');
        expect(document.json).toMatchObject({ authorization_servers: [own.issuer] });
      } finally {
        await stopSample(started);
        await Promise.all(servers.map((each) => each.close()));
        await rm(folder, { recursive: true });
      }
    },
  );
});
