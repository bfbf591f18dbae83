import type { INestApplication } from '@nestjs/common';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { createAuthorizationServerApp } from '../../sample/authorization-server/src/start.js';
import { Person } from '../../sample/demo/src/person.js';
import { adapterOf } from '../fixtures/app.js';
import { OAUTH } from '../fixtures/discovery.js';
import { createNotesMcpApp } from '../fixtures/notes-mcp-app.js';
import { CREDENTIALS, visitWithV1, visitWithV2 } from '../fixtures/official-clients.js';
import { OldClient } from '../fixtures/old-client.js';
import { PRM } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';

/** The paths of the resource; everything else is the authorization server's. */
const OF_RESOURCE = /^(\/notes|\/\.well-known\/oauth-protected-resource)([/?]|$)/;

function listenerOf(app: INestApplication): RequestListener {
  return app.getHttpAdapter().getInstance() as RequestListener;
}

describe('an authorization server on the origin of the resource', () => {
  let http: Server;
  let origin: string;
  let apps: INestApplication[];

  beforeAll(async () => {
    const listeners: { server?: RequestListener; notes?: RequestListener } = {};
    http = createServer((request, response) => {
      const listener = OF_RESOURCE.test(request.url ?? '') ? listeners.notes : listeners.server;
      if (listener) listener(request, response);
      else response.writeHead(503).end();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${String((http.address() as AddressInfo).port)}`;
    const resource = `${origin}/notes`;
    const resources = { [resource]: ['notes:read'] };
    const options = { port: 0, resources, defaultResource: resource, ...CREDENTIALS };
    const server = await createAuthorizationServerApp(origin, options);
    listeners.server = listenerOf(server);
    // The resource asks for the metadata of the authorization server at the origin that it is itself part of.
    const protects = { resource, authorizationServers: [origin], requiredScopes: ['notes:read'] };
    const notes = await createNotesMcpApp({ resources: protects }, adapterOf('express'));
    await notes.init();
    listeners.notes = listenerOf(notes);
    apps = [notes, server];
  });

  afterAll(async () => {
    await new Promise((resolve) => {
      http.close(resolve);
      http.closeAllConnections();
    });
    for (const app of apps) await app.close();
  });

  verifies('LEG-09', 'serves current clients, by both documents of that origin', async () => {
    for (const visit of [visitWithV1, visitWithV2]) {
      const { text, urls } = await visit(`${origin}/notes`, 'whoami');
      expect(text).toBe('demo with notes:read');
      expect(urls).toContain(`${origin}${PRM}/notes`);
      expect(urls).toContain(`${origin}${OAUTH}`);
    }
  });

  verifies('LEG-09', 'serves a client that knows no RFC 9728, without any copy', async () => {
    const client = new OldClient(`${origin}/notes`, new Person(CREDENTIALS), 'notes:read');
    await client.connect();
    expect(client.discovered).toBe('metadata');
    expect(await client.call('whoami')).toBe('demo with notes:read');
  });
});
