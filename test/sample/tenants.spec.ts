import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { describe, expect } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { rejectedAs } from '../fixtures/notes-rejections.js';
import { startSample, stopSample } from '../fixtures/sample-process.js';
import { callerIn, UNKNOWN_TENANT } from '../fixtures/tenant-app.js';
import { verifies } from '../verifies.js';

describe('sample/tenants', () => {
  verifies('TEN-42', 'opens each tenant to tokens of its own authorization server, alone', async () => {
    const [acme, beta] = await Promise.all([
      TestAuthorizationServer.start(),
      TestAuthorizationServer.start(),
    ]);
    const port = String(await freePort());
    const origin = `http://127.0.0.1:${port}`;
    const started = await startSample('tenants', 'Stop with Ctrl-C.', {
      MCP_RESOURCE: `${origin}/t/acme/mcp`,
      MCP_ISSUER: acme.issuer,
      MCP_BETA_ISSUER: beta.issuer,
      PORT: port,
    });
    const whoami = (tenant: string, token: string): Promise<HttpAnswer> =>
      send(origin, `/t/${tenant}/mcp`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } },
      });
    try {
      for (const [as, own] of [[acme, 'acme'] as const, [beta, 'beta'] as const]) {
        for (const named of ['acme', 'beta', 'other']) {
          const audience = `${origin}/t/${named}/mcp`;
          const token = await as.issueToken({ audience, scopes: ['identity:read'], sub: 'ada' });
          for (const tenant of ['acme', 'beta', 'other']) {
            const answer = await whoami(tenant, token);
            if (tenant === 'other') expect(rejectedAs(answer)).toEqual(UNKNOWN_TENANT);
            else if (tenant === own && named === own)
              expect(callerIn(answer)).toEqual({ tenant, issuer: as.issuer, subject: 'ada' });
            else
              expect(rejectedAs(answer)).toMatchObject({
                status: 401,
                challenge:
                  'Bearer error="invalid_token", scope="identity:read", ' +
                  `resource_metadata="${origin}/.well-known/oauth-protected-resource/t/${tenant}/mcp", ` +
                  'error_description="The access token is invalid or expired"',
              });
          }
        }
      }
      const document = await send(origin, '/.well-known/oauth-protected-resource/t/beta/mcp');
      expect(document.json).toMatchObject({ authorization_servers: [beta.issuer] });
    } finally {
      await stopSample(started);
      await Promise.all([acme.close(), beta.close()]);
    }
  });
});
