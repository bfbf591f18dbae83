import type { INestApplication } from '@nestjs/common';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { ClientProvider } from '../../sample/client/src/client-provider.js';
import { LoopbackCallback } from '../../sample/client/src/loopback-callback.js';
import { runClient } from '../../sample/client/src/run.js';
import { SampleClient } from '../../sample/client/src/sample-client.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { CREDENTIALS } from '../fixtures/official-clients.js';
import { verifies } from '../verifies.js';

const SCOPES = ['notes:read', 'notes:write', 'notes:admin'];

describe('sample/client', () => {
  let server: RunningAuthorizationServer;
  let app: INestApplication;
  let resource: string;
  let metadataUrl: string;

  beforeAll(async () => {
    const port = await freePort();
    resource = `http://127.0.0.1:${String(port)}/notes`;
    metadataUrl = `http://127.0.0.1:${String(port)}/.well-known/oauth-protected-resource/notes`;
    server = await startAuthorizationServer({ port: 0, resources: { [resource]: SCOPES }, ...CREDENTIALS });
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: server.issuer });
    const { startNotesServer } = await import('../../sample/quickstart/src/start.js');
    app = await startNotesServer(port, ['error']);
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** Writes down each exchange of the client: what was asked, what for, and the answer with its challenge. */
  function recording() {
    const trace: string[] = [];
    const fetchFn: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      const body = request.body === null ? '' : await request.clone().text();
      const response = await fetch(request);
      const address = request.url.replace(server.issuer, 'AS').replace(new URL(resource).origin, 'RS');
      const challenge = response.headers.get('www-authenticate') ?? '';
      trace.push([request.method, address, askedFor(body), response.status, challenge].join(' ').trim());
      return response;
    };
    return { trace, fetchFn };
  }

  /** The JSON-RPC method with the tool, or the grant with its parameters that are no secret. */
  function askedFor(body: string): string {
    if (body.startsWith('{')) {
      const { method, params, client_name } = JSON.parse(body);
      return [method, params?.name, client_name].filter((part) => part !== undefined).join(' ');
    }
    const form = new URLSearchParams(body);
    return [form.get('grant_type'), form.get('resource')].filter((part) => part !== null).join(' ');
  }

  /** The person: signs in, allows, and the browser goes back to the client. */
  function browserOf(person: Person, trace: string[] = []) {
    return async (url: URL): Promise<void> => {
      const { searchParams, pathname } = url;
      const asked = ['scope', 'resource', 'code_challenge_method'].map((name) => searchParams.get(name));
      trace.push(`PERSON ${pathname} ${asked.join(' ')}`);
      expect(await (await fetch(await person.authorize(url))).text()).toContain('You can close this window');
    };
  }

  const challenge = (parameters: string): string =>
    `Bearer ${parameters}`.replace('METADATA', `resource_metadata="${metadataUrl}"`);

  verifies(['F115', 'F125'], 'goes the whole way with nothing but the URL of the server', async () => {
    const { trace, fetchFn } = recording();
    const printed: string[] = [];
    const open = browserOf(new Person(CREDENTIALS), trace);
    await runClient({ resource, open, fetchFn, print: (line) => printed.push(line) });
    expect(printed).toEqual([
      'list_notes: no notes',
      'add_note: 1 notes',
      'whoami: demo with notes:read notes:write',
    ]);
    const rejected = challenge(
      'error="insufficient_scope", scope="notes:write", METADATA, ' +
        'error_description="The access token does not grant what this operation needs"',
    );
    expect(trace).toEqual([
      `POST RS/notes server/discover 401 ${challenge('scope="notes:read", METADATA')}`,
      'GET RS/.well-known/oauth-protected-resource/notes  200',
      'GET AS/.well-known/oauth-authorization-server  200',
      'POST AS/reg Sample client 201',
      `PERSON /auth notes:read offline_access ${resource} S256`,
      `POST AS/token authorization_code ${resource} 200`,
      'POST RS/notes server/discover 200',
      'POST RS/notes tools/call list_notes 200',
      `POST RS/notes tools/call add_note 403 ${rejected}`,
      `PERSON /auth notes:read notes:write offline_access ${resource} S256`,
      `POST AS/token authorization_code ${resource} 200`,
      'POST RS/notes tools/call add_note 200',
      `POST AS/token refresh_token ${resource} 200`,
      'POST RS/notes tools/call whoami 200',
    ]);
  });

  verifies('F125', 'refreshes by itself once its token has expired, without the person', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { trace, fetchFn } = recording();
    const callback = await LoopbackCallback.listen();
    const browse = callback.browseWith(browserOf(new Person(CREDENTIALS), trace));
    const provider = new ClientProvider('Sample client', callback.redirectUrl, browse);
    const client = new SampleClient(new URL(resource), provider, fetchFn);
    await client.connect();
    vi.setSystemTime(Date.now() + 400_000);
    trace.length = 0;
    expect(await client.call('whoami')).toBe('demo with notes:read');
    const expired = challenge(
      'error="invalid_token", scope="notes:read", METADATA, ' +
        'error_description="The access token is invalid or expired"',
    );
    expect(trace).toEqual([
      `POST RS/notes tools/call whoami 401 ${expired}`,
      `POST AS/token refresh_token ${resource} 200`,
      'POST RS/notes tools/call whoami 200',
    ]);
    await client.close();
    callback.close();
  });

  verifies('F125', 'is made of the official client and Node', () => {
    const folder = fileURLToPath(new URL('../../sample/client/src/', import.meta.url));
    const imported = readdirSync(folder).flatMap((file) =>
      [...readFileSync(folder + file, 'utf8').matchAll(/from '([^']+)'/g)].map(([, module = '']) => module),
    );
    expect([...new Set(imported.filter((module) => !/^(node:|\.\/)/.test(module)))]).toEqual([
      '@modelcontextprotocol/client',
    ]);
  });

  it('takes the answer that it waits for, once, and no other', async () => {
    const callback = await LoopbackCallback.listen();
    const opened: string[] = [];
    const browse = callback.browseWith(({ href }) => opened.push(href));
    const send = async (query: string, path = callback.redirectUrl): Promise<number> =>
      (await fetch(`${path}?${query}`)).status;
    expect(await send('code=early')).toBe(404);
    const answer = browse(new URL('https://as.example/auth?state=mine'));
    expect(await send('code=evil')).toBe(404);
    expect(await send('code=evil&state=other')).toBe(404);
    expect(await send('code=evil&state=mine', callback.redirectUrl.replace('/callback', '/x'))).toBe(404);
    expect(await send('code=good&state=mine')).toBe(200);
    expect(await send('code=late&state=mine')).toBe(404);
    expect((await answer).get('code')).toBe('good');
    expect(opened).toEqual(['https://as.example/auth?state=mine']);
    callback.close();
  });

  it('rejects an answer whose state is not its own', async () => {
    const foreign = new URLSearchParams({ code: 'evil', state: 'other' });
    const provider = new ClientProvider('c', 'http://127.0.0.1:9/cb', () => Promise.resolve(foreign));
    provider.state();
    await provider.redirectToAuthorization(new URL('https://as.example/auth'));
    expect(() => provider.takeAnswer()).toThrow('the state came back changed');
  });

  verifies('F125', 'as a program asks the person to open a URL, and ends when it is done', async () => {
    const main = fileURLToPath(new URL('../../sample/dist/client/src/main.js', import.meta.url));
    const child = spawn(process.execPath, [main], { env: { ...process.env, MCP_RESOURCE: resource } });
    const ended = once(child, 'exit');
    const open = browserOf(new Person(CREDENTIALS));
    const printed: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('  http')) await open(new URL(line.trim()));
      else printed.push(line);
    }
    expect(await ended).toEqual([0, null]);
    expect(printed).toEqual([
      'Open this in your browser:',
      'list_notes: Buy milk',
      'Open this in your browser:',
      'add_note: 2 notes',
      'whoami: demo with notes:read notes:write',
    ]);
  });
});
