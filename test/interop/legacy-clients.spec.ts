import { All, Controller, type INestApplication, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { adapterOf, defaultPlatform, start } from '../fixtures/app.js';
import { OAUTH } from '../fixtures/discovery.js';
import { createNotesMcpApp } from '../fixtures/notes-mcp-app.js';
import { CREDENTIALS, visitWithV1, visitWithV2 } from '../fixtures/official-clients.js';
import { OldClient } from '../fixtures/old-client.js';
import { NOTES, offlineResource, PRM } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';

describe('an MCP server with a copy of the metadata of its authorization server', () => {
  let origin: string;
  let resource: string;
  let server: RunningAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    const port = await freePort();
    origin = `http://127.0.0.1:${String(port)}`;
    resource = `${origin}/notes`;
    const resources = { [resource]: ['notes:read', 'notes:write', 'notes:admin'] };
    server = await startAuthorizationServer({
      port: 0,
      resources,
      defaultResource: resource,
      ...CREDENTIALS,
    });
    const options = { resource, authorizationServers: [server.issuer], requiredScopes: ['notes:read'] };
    app = await createNotesMcpApp(
      { resources: options, legacyAuthorizationServerMetadata: true },
      adapterOf(defaultPlatform),
    );
    await app.listen(port, '127.0.0.1');
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  verifies(['LEG-10', 'F123'], 'serves a client that knows no RFC 9728', async () => {
    const client = new OldClient(resource, new Person(CREDENTIALS), 'notes:read');
    await client.connect();
    expect(client.discovered).toBe('metadata');
    expect(await client.call('whoami')).toBe('demo with notes:read');
    expect(await client.call('list_notes')).toBe('no notes');
    expect(await client.call('add_note')).toBeUndefined();
  });

  verifies(
    ['LEG-10', 'F123'],
    'is what that client needs: without it, it ends at our own origin',
    async () => {
      @Controller('notes')
      @UseGuards(BearerAuthGuard)
      class Endpoint {
        @All()
        run(): void {
          return undefined;
        }
      }
      const without = await start({ resources: offlineResource(NOTES) }, { controllers: [Endpoint] });
      const client = new OldClient(`${without.origin}/notes`, new Person(CREDENTIALS), 'notes:read');
      await expect(client.connect()).rejects.toThrow(`${without.origin}/register was answered 404`);
      expect(client.discovered).toBe('default');
    },
  );

  verifies('LEG-10', 'serves the official clients, which do not even look at it', async () => {
    for (const visit of [visitWithV1, visitWithV2]) {
      const { text, urls } = await visit(resource, 'whoami');
      expect(text).toBe('demo with notes:read');
      expect(urls).toContain(`${origin}${PRM}/notes`);
      expect(urls).not.toContain(`${origin}${OAUTH}`);
    }
  });
});
