import { Logger } from '@nestjs/common';
import { expect, it } from 'vitest';
import { send } from '../fixtures/http.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { ORIGIN, PRM } from '../fixtures/resources.js';
import { server } from '../fixtures/servers.js';

it('the example of versions serves each resource at its own URL, and its metadata at the root', async () => {
  Logger.overrideLogger(false);
  const as = await server();
  process.env['MCP_ISSUER'] = as.issuer;
  const { createVersioned } = await import('./versioning-examples.js');
  const app = closeAfterTest(await createVersioned());
  await app.listen(0, '127.0.0.1');
  const origin = await app.getUrl();
  for (const path of ['/api/v1/reports', '/api/notes']) {
    const headers = { authorization: `Bearer ${await as.token({ aud: ORIGIN + path })}` };
    expect([path, (await send(origin, path, { headers })).status]).toEqual([path, 200]);
    expect((await send(origin, PRM + path)).json).toMatchObject({ resource: ORIGIN + path });
    const { status, headers: rejected } = await send(origin, path);
    expect([status, rejected['www-authenticate']]).toEqual([
      401,
      `Bearer resource_metadata="${ORIGIN}${PRM}${path}"`,
    ]);
  }
  expect((await send(origin, '/api/v1/notes')).status).toBe(404);
  expect((await send(origin, '/api/reports')).status).toBe(404);
});
