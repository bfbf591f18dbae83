import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { send } from '../fixtures/http.js';
import { CREDENTIALS } from '../fixtures/official-clients.js';
import { OldClient } from '../fixtures/old-client.js';
import { OAUTH, OIDC } from '../fixtures/discovery.js';
import { type SampleProcess, startSample, stopSample } from '../fixtures/sample-process.js';
import { verifies } from '../verifies.js';

const SCOPES = ['notes:read', 'notes:write'];

describe('sample/legacy-client', () => {
  let origin: string;
  let server: RunningAuthorizationServer;
  let sample: SampleProcess;

  const startServer = (port: number, defaultResource?: string) =>
    startAuthorizationServer({
      port,
      resources: { [`${origin}/notes`]: SCOPES },
      ...(defaultResource !== undefined && { defaultResource }),
      ...CREDENTIALS,
    });

  beforeAll(async () => {
    const port = String(await freePort());
    origin = `http://127.0.0.1:${port}`;
    server = await startServer(0, `${origin}/notes`);
    const settings = { PORT: port, MCP_RESOURCE: `${origin}/notes`, MCP_ISSUER: server.issuer };
    sample = await startSample('legacy-client', 'Stop with Ctrl-C.', settings);
  });

  afterAll(async () => {
    await stopSample(sample);
    await server.close();
  });

  verifies('F123', 'as a program finds the authorization server by the copy, and calls tools', async () => {
    const program = fileURLToPath(new URL('../../sample/dist/legacy-client/src/client.js', import.meta.url));
    const env = { ...process.env, MCP_RESOURCE: `${origin}/notes` };
    const child = spawn(process.execPath, [program], { env });
    const ended = once(child, 'exit');
    const printed: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      printed.push(line.replace(/^ {2}http.*/, 'URL'));
      if (!line.startsWith('  http')) continue;
      const url = new URL(line.trim());
      expect(url.origin).toBe(server.issuer);
      expect(url.searchParams.has('resource')).toBe(false);
      await (await fetch(await new Person(CREDENTIALS).authorize(url))).text();
    }
    expect(await ended).toEqual([0, null]);
    expect(printed).toEqual([
      'Open this in your browser:',
      'URL',
      `authorization server: ${server.issuer}`,
      'whoami: demo with notes:read',
      'list_notes: no notes',
    ]);
  });

  verifies('F123', 'has the copy at one address only, and proxies nothing', async () => {
    const copy = await send(origin, OAUTH);
    const original = await send(server.issuer, OAUTH);
    expect([copy.status, copy.json]).toEqual([200, original.json]);
    for (const path of [OIDC, `${OAUTH}/notes`, '/authorize', '/token', '/register', '/reg', '/auth']) {
      expect((await send(origin, path)).status).toBe(404);
    }
  });

  verifies('F123', 'needs an authorization server that knows which resource is meant', async () => {
    const port = Number(new URL(server.issuer).port);
    await server.close();
    server = await startServer(port);
    const client = new OldClient(`${origin}/notes`, new Person(CREDENTIALS), 'notes:read');
    await expect(client.connect()).rejects.toThrow('initialize was answered 401');
  });
});
