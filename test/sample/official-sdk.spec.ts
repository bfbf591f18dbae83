import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { send } from '../fixtures/http.js';
import { connectV1, connectV2, CREDENTIALS } from '../fixtures/official-clients.js';
import { verifies } from '../verifies.js';

const SCOPES = ['notes:read', 'notes:write'];

describe('sample/official-sdk', () => {
  let resource: string;
  let server: RunningAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    const port = await freePort();
    resource = `http://127.0.0.1:${String(port)}/notes`;
    const resources = { [resource]: SCOPES, [`${resource}-v1`]: SCOPES };
    server = await startAuthorizationServer({ port: 0, resources, ...CREDENTIALS });
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: server.issuer });
    const { startSdkServer } = await import('../../sample/official-sdk/src/start.js');
    app = await startSdkServer(port);
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  for (const [client, connect] of [['v1', connectV1] as const, ['v2', connectV2] as const]) {
    for (const path of ['', '-v1']) {
      verifies(['SCP-09', 'F91'], `the official client ${client} steps up at /notes${path}`, async () => {
        const connected = await connect(`${resource}${path}`);
        const before = await connected.call('list_notes');
        expect(connected.scopes()).toEqual(['notes:read']);
        const text = `${client}${path}`;
        expect(await connected.call('add_note', { text })).toMatch(/^\d notes$/);
        expect(connected.scopes()).toEqual(SCOPES);
        const after = (await connected.call('list_notes'))?.split('\n') ?? [];
        expect(after).toEqual([...(before === 'no notes' ? [] : (before?.split('\n') ?? [])), text]);
        expect(connected.challenged).toHaveLength(1);
        await connected.close();
      });
    }
  }

  it('advertises the scopes of the tools at both resources', async () => {
    const { origin, pathname } = new URL(resource);
    for (const path of [pathname, `${pathname}-v1`]) {
      const { json } = await send(origin, `/.well-known/oauth-protected-resource${path}`);
      expect(json).toMatchObject({ resource: `${origin}${path}`, scopes_supported: SCOPES });
    }
  });
});
