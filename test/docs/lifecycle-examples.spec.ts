import { describe, expect, it } from 'vitest';
import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';
import { PLATFORMS, startApp } from '../fixtures/app.js';
import { INITIALIZE, MCP_HEADERS, mcpEndpoint, toolCall } from '../fixtures/mcp-endpoint.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { server } from '../fixtures/servers.js';
import { NotesTools, resources, UserModule } from './lifecycle-examples.js';

describe.each(PLATFORMS)('the examples of sign-in at the first protected tool, on %s', (platform) => {
  it('let clients connect and search, and ask for a token at the other tools', async () => {
    const as = await server();
    const endpoint = mcpEndpoint();
    const resource = { ...(resources as ProtectedResourceOptions), authorizationServers: [as.issuer] };
    const parts = { controllers: [endpoint.controller, NotesTools] };
    const app = closeAfterTest(
      await startApp({ resources: resource }, { ...parts, prepare: endpoint.connect, platform }),
    );
    const post = async (body: object, token?: string) => {
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return app.send('/notes', { method: 'POST', headers: { ...MCP_HEADERS, ...authorization }, body });
    };
    expect((await post(INITIALIZE)).status).toBe(200);
    expect((await post(toolCall('search'))).text).toContain('public notes');
    for (const [name, scope] of [
      ['mine', ''],
      ['write', 'scope="notes:write", '],
    ] as const) {
      const { status, headers } = await post(toolCall(name));
      expect([status, headers['www-authenticate']]).toEqual([
        401,
        expect.stringContaining(`Bearer ${scope}`),
      ]);
    }
    const token = await as.token({ aud: resource.resource });
    expect((await post(toolCall('mine'), token)).text).toContain('my notes');
    expect((await post(toolCall('write'), token)).status).toBe(403);
  });
});

it('the example of req.user is a module', () => {
  expect(UserModule.name).toBe('UserModule');
});
