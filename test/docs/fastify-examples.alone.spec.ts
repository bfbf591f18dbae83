import { Logger } from '@nestjs/common';
import { expect, it } from 'vitest';
import { send } from '../fixtures/http.js';
import { MCP_HEADERS, toolCall } from '../fixtures/mcp-endpoint.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import { server } from '../fixtures/servers.js';

it('the example of Fastify hands requests with their caller to the official SDK', async () => {
  Logger.overrideLogger(false);
  const as = await server();
  Object.assign(process.env, { MCP_RESOURCE: NOTES, MCP_ISSUER: as.issuer });
  const { createApp } = await import('./fastify-examples.js');
  const app = closeAfterTest(await createApp());
  await app.listen(0, '127.0.0.1');
  const origin = await app.getUrl();
  const call = async (scope: string) =>
    send(origin, '/notes', {
      method: 'POST',
      headers: {
        ...MCP_HEADERS,
        authorization: `Bearer ${await as.token({ aud: NOTES, scope, sub: 'ada' })}`,
      },
      body: toolCall('whoami'),
    });
  const good = await call('notes:read');
  expect([good.status, good.text]).toEqual([200, expect.stringContaining('"text":"ada"')]);
  expect((await call('notes:write')).status).toBe(403);
  expect((await send(origin, '/notes', { method: 'POST', body: toolCall('whoami') })).status).toBe(401);
});
