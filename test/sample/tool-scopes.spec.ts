import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { connectV1, connectV2, CREDENTIALS } from '../fixtures/official-clients.js';
import { verifies } from '../verifies.js';

const SCOPES = ['notes:read', 'notes:write', 'notes:admin', 'folders:count', 'hr:write'];

describe('sample/tool-scopes', () => {
  let resource: string;
  let server: RunningAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    const port = await freePort();
    resource = `http://127.0.0.1:${String(port)}/folders`;
    server = await startAuthorizationServer({ port: 0, resources: { [resource]: SCOPES }, ...CREDENTIALS });
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: server.issuer });
    const { startFoldersServer } = await import('../../sample/tool-scopes/src/start.js');
    app = await startFoldersServer(port);
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  for (const [name, connect] of [['v1', connectV1] as const, ['v2', connectV2] as const]) {
    verifies(
      ['SCP-04', 'SCP-06', 'SCP-26', 'F69', 'F72'],
      `the official client ${name} goes from scope to scope`,
      async () => {
        const client = await connect(resource);
        const folder = `${name}-plans`;
        await client.call('list_folders');
        expect(client.scopes()).toEqual(['notes:read']);
        expect(await client.call('count_notes', { folder })).toBe('0 notes');
        expect(client.scopes()).toEqual(['folders:count', 'notes:read']);
        expect(await client.call('add_note', { folder, text: 'a' })).toBe('1 notes');
        expect(client.scopes()).toEqual(['folders:count', 'notes:read', 'notes:write']);
        expect(await client.call('add_note', { folder: 'HR', text: 'b' })).toMatch(/^\d notes$/);
        expect(client.scopes()).toEqual(['folders:count', 'hr:write', 'notes:read', 'notes:write']);
        expect(await client.call('clear_folder', { folder })).toBe('1 notes deleted');
        expect(client.scopes()).toEqual([...SCOPES].sort());
        expect(client.challenged).toHaveLength(4);
        await client.call('count_notes', { folder: 'hr' });
        expect(client.challenged).toHaveLength(4);
        await client.close();
      },
    );
  }
});
