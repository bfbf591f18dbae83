import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

interface Started {
  readonly child: ChildProcess;
  readonly output: string;
}

/** Starts a sample and waits until it has printed `ready`; rejects with its output when it ends before. */
function start(sample: string, ready: string, settings: Record<string, string>): Promise<Started> {
  const main = fileURLToPath(new URL(`../../sample/dist/${sample}/src/main.js`, import.meta.url));
  const child = spawn(process.execPath, [main], { env: { ...process.env, ...settings } });
  let output = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes(ready)) resolve({ child, output });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => {
      reject(new Error(output));
    });
  });
}

/** Stops it as Ctrl-C does, and expects it to end well. */
async function stop({ child }: Started): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
}

describe('the samples as processes of their own', () => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  it.each([
    ['quickstart', '/notes'],
    ['tool-scopes', '/folders'],
    ['official-sdk', '/notes'],
  ])('%s starts, is protected, and stops', async (sample, path) => {
    const port = String(await freePort());
    const origin = `http://127.0.0.1:${port}`;
    const settings = { MCP_RESOURCE: `${origin}${path}`, MCP_ISSUER: as.issuer, PORT: port };
    const started = await start(sample, 'Stop with Ctrl-C.', settings);
    try {
      expect(started.output).toContain(`${origin}${path}`);
      const { status, headers } = await send(origin, path, { method: 'POST', body: {} });
      expect([status, headers['www-authenticate']]).toEqual([
        401,
        `Bearer scope="notes:read", resource_metadata="${origin}/.well-known/oauth-protected-resource${path}"`,
      ]);
    } finally {
      await stop(started);
    }
  });
});

describe('sample/authorization-server as a process', () => {
  const CREDENTIALS = { username: 'ada', password: 'correct horse' };
  const settings = { PORT: '0', AS_USERNAME: CREDENTIALS.username, AS_PASSWORD: CREDENTIALS.password };

  verifies('F120', 'signs in with the credentials from the environment, and shows no password', async () => {
    const started = await start('authorization-server', 'Sign in as', settings);
    try {
      expect(started.output).not.toContain(CREDENTIALS.password);
      const issuer = /http:\/\/127\.0\.0\.1:\d+/.exec(started.output)?.[0] ?? '';
      const redirectUri = 'http://127.0.0.1:9/callback';
      const registration = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
      const registered = await send(issuer, '/reg', { method: 'POST', body: registration });
      const { client_id } = registered.json as { client_id: string };
      const url = new URL(`${issuer}/auth?response_type=code&scope=notes:read&code_challenge_method=S256`);
      url.searchParams.set('client_id', client_id);
      url.searchParams.set('redirect_uri', redirectUri);
      url.searchParams.set('resource', 'http://127.0.0.1:3000/notes');
      url.searchParams.set('code_challenge', 'A'.repeat(43));
      await expect(new Person({ username: 'demo', password: 'demo' }).authorize(url)).rejects.toThrow('401');
      const answer = await new Person(CREDENTIALS).authorize(url);
      expect(answer.searchParams.get('code')).toEqual(expect.any(String));
    } finally {
      await stop(started);
    }
  });

  verifies('F115', 'refuses to start in production', async () => {
    const started = start('authorization-server', 'Sign in as', { ...settings, NODE_ENV: 'production' });
    await expect(started).rejects.toThrow('it does not start while NODE_ENV is "production"');
  });
});
