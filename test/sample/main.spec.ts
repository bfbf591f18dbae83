import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { send } from '../fixtures/http.js';
import { toolCall } from '../fixtures/mcp-endpoint.js';
import { startSample, stopSample } from '../fixtures/sample-process.js';
import { verifies } from '../verifies.js';

describe('the samples as processes of their own', () => {
  let as: LoopbackAuthorizationServer;
  let staff: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const metadata = as.metadata({ introspection_endpoint: `${as.origin}/introspect` });
    as.at('/.well-known/oauth-authorization-server', metadata);
    staff = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => Promise.all([as.close(), staff.close()]));

  it.each([
    ['async-configuration', '/notes'],
    ['custom-verifier', '/notes'],
    ['existing-app', '/api/mcp', 'orders:read'],
    ['introspection', '/notes'],
    ['many-resources', '/notes'],
    ['tenants', '/t/acme/mcp', 'identity:read'],
    ['todo-manager', '/todos', 'create:todos'],
    ['whoami', '/whoami', 'identity:read'],
    ['quickstart', '/notes'],
    ['tool-scopes', '/folders'],
    ['official-sdk', '/notes'],
    ['legacy-client', '/notes'],
    ['one-process', '/notes'],
    ['chatgpt-app', '/articles', 'articles:read', toolCall('list_saved')],
  ])('%s starts, is protected, and stops', async (sample, path, scope = 'notes:read', body = {}) => {
    const port = String(await freePort());
    const origin = `http://127.0.0.1:${port}`;
    const settings = {
      MCP_RESOURCE: `${origin}${path}`,
      MCP_ISSUER: as.issuer,
      MCP_STAFF_ISSUER: staff.issuer,
      MCP_BETA_ISSUER: staff.issuer,
      PORT: port,
    };
    const started = await startSample(sample, 'Stop with Ctrl-C.', settings);
    try {
      expect(started.output()).toContain(`${origin}${path}`);
      const { status, headers } = await send(origin, path, { method: 'POST', body });
      expect([status, headers['www-authenticate']]).toEqual([
        401,
        `Bearer scope="${scope}", resource_metadata="${origin}/.well-known/oauth-protected-resource${path}"`,
      ]);
    } finally {
      await stopSample(started);
    }
  });
});

describe('sample/authorization-server as a process', () => {
  const CREDENTIALS = { username: 'ada', password: 'correct horse' };
  const settings = { PORT: '0', AS_USERNAME: CREDENTIALS.username, AS_PASSWORD: CREDENTIALS.password };

  verifies('F120', 'signs in with the credentials from the environment, and shows no password', async () => {
    const started = await startSample('authorization-server', 'Sign in as', settings);
    try {
      expect(started.output()).not.toContain(CREDENTIALS.password);
      const issuer = /http:\/\/127\.0\.0\.1:\d+/.exec(started.output())?.[0] ?? '';
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
      await stopSample(started);
    }
  });

  verifies('F115', 'rejects to start in production', async () => {
    const started = startSample('authorization-server', 'Sign in as', {
      ...settings,
      NODE_ENV: 'production',
    });
    await expect(started).rejects.toThrow('it does not start while NODE_ENV is "production"');
  });
});
