import * as oauth from 'oauth4webapi';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OTHER_ENVIRONMENTS } from '../../test/fixtures/environments.js';
import { closeAfterTest } from '../../test/fixtures/opened.js';
import { send, sendRaw } from '../../test/fixtures/http.js';
import { verifies } from '../../test/verifies.js';
import { TestAuthorizationServer } from './test-authorization-server.js';
import type {
  TestAuthorizationServerOptions,
  TestMetadataLayout,
} from './test-authorization-server.interface.js';
import { makeTestKey } from './test-keys.js';

// eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated to be seen; the server is on loopback
const INSECURE = { [oauth.allowInsecureRequests]: true } as const;
const key = await makeTestKey('ES256');

async function started(options: TestAuthorizationServerOptions = {}): Promise<TestAuthorizationServer> {
  return closeAfterTest(await TestAuthorizationServer.start({ keys: [key], ...options }));
}

async function discovered(as: TestAuthorizationServer, algorithm: 'oauth2' | 'oidc') {
  const issuer = new URL(as.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...INSECURE });
  return oauth.processDiscoveryResponse(issuer, response);
}

describe('TestAuthorizationServer.start', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  verifies('WAY-17', 'starts in test and development, elsewhere only if told to', async () => {
    for (const environment of ['test', 'development']) {
      vi.stubEnv('NODE_ENV', environment);
      await expect(started()).resolves.toBeInstanceOf(TestAuthorizationServer);
    }
    for (const [environment, found] of OTHER_ENVIRONMENTS) {
      vi.stubEnv('NODE_ENV', environment);
      for (const options of [undefined, { allowAnyEnvironment: false }]) {
        await expect(TestAuthorizationServer.start(options)).rejects.toThrow(
          'TestAuthorizationServer signs any claims, so it starts only with NODE_ENV "test" or "development", ' +
            `unless "allowAnyEnvironment" is true; NODE_ENV ${found}`,
        );
      }
      await expect(started({ allowAnyEnvironment: true })).resolves.toBeInstanceOf(TestAuthorizationServer);
    }
  });

  it.each(['tenant1', '/tenant1?a=b', '/tenant1#a'])('rejects the issuer path %s', async (issuerPath) => {
    await expect(TestAuthorizationServer.start({ issuerPath })).rejects.toThrow(
      `issuerPath is "${issuerPath}"; write a path such as "/tenant1", or leave it out`,
    );
  });

  it('listens on 127.0.0.1 only, and says where', async () => {
    const as = await started({ issuerPath: '/tenant1/' });
    expect(as.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(as.issuer).toBe(`${as.origin}/tenant1/`);
    expect(as.jwksUri).toBe(`${as.origin}/jwks`);
    expect(as.introspectionEndpoint).toBe(`${as.origin}/introspect`);
  });
});

describe('the metadata', () => {
  const OAUTH = '/.well-known/oauth-authorization-server';
  const OIDC = '/.well-known/openid-configuration';

  it.each<[TestMetadataLayout, string, string[]]>([
    ['oauth', '', [OAUTH]],
    ['oauth', '/t', [`${OAUTH}/t`]],
    ['oidc', '', [OIDC]],
    ['oidc', '/t', [`/t${OIDC}`]],
    ['oidc-inserted', '/t', [`${OIDC}/t`]],
    ['all', '', [OAUTH, OIDC]],
    ['all', '/t', [`${OAUTH}/t`, `${OIDC}/t`, `/t${OIDC}`]],
    ['all', '/t/', [`${OAUTH}/t`, `${OIDC}/t`, `/t${OIDC}`]],
    ['none', '/t', []],
  ])('of the layout %s with the path "%s" is at %j and nowhere else', async (layout, issuerPath, paths) => {
    const as = await started({ layout, issuerPath });
    const candidates = [OAUTH, OIDC, `${OAUTH}/t`, `${OIDC}/t`, `/t${OIDC}`, `${OAUTH}/t/`];
    const answers = await Promise.all(candidates.map((path) => send(as.origin, path)));
    expect(candidates.filter((_, index) => answers[index]?.status === 200)).toEqual(paths);
    for (const { status, headers, json } of answers.filter((answer) => answer.status === 200)) {
      expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json' });
      expect(json).toEqual(as.metadata());
    }
  });

  it.each(['', '/', '/tenant1', '/tenant1/', '/a/b'])(
    'is found by a client for the issuer path "%s", by RFC 8414 and by OpenID Connect',
    async (issuerPath) => {
      const as = await started({ issuerPath });
      for (const algorithm of ['oauth2', 'oidc'] as const) {
        const metadata = await discovered(as, algorithm);
        expect(metadata).toEqual(as.metadata());
        expect(metadata.issuer).toBe(as.issuer);
      }
    },
  );

  it('has what MCP clients need', async () => {
    const as = await started();
    expect(as.metadata()).toMatchObject({
      authorization_endpoint: `${as.origin}/authorize`,
      token_endpoint: `${as.origin}/token`,
      registration_endpoint: `${as.origin}/register`,
      jwks_uri: as.jwksUri,
      introspection_endpoint: as.introspectionEndpoint,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      introspection_signing_alg_values_supported: ['ES256'],
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      client_id_metadata_document_supported: true,
    });
  });

  it.each(['/authorize', '/token', '/register'])('names %s, where nothing is', async (path) => {
    expect((await send((await started()).origin, path)).status).toBe(404);
  });

  it('lies about its issuer when told to, and a client notices', async () => {
    const as = await started();
    as.changeMetadata({ issuer: 'https://evil.example' });
    await expect(discovered(as, 'oauth2')).rejects.toMatchObject({
      code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
    });
    expect(as.metadata()).toMatchObject({ issuer: 'https://evil.example' });
  });

  it('lacks the members that were taken away, and keeps earlier changes', async () => {
    const as = await started();
    as.changeMetadata({ jwks_uri: undefined });
    as.changeMetadata({ extra: [1] });
    const metadata = await discovered(as, 'oidc');
    expect(metadata).not.toHaveProperty('jwks_uri');
    expect(metadata).toMatchObject({ issuer: as.issuer, extra: [1] });
    expect(as.metadata({ extra: undefined })).not.toHaveProperty('extra');
  });

  it('stands at any path, with members that differ there only', async () => {
    const as = await started({ layout: 'none' });
    as.serveMetadata('/custom', { token_endpoint: 'https://other.example/token' });
    as.serveMetadata('/plain');
    expect((await send(as.origin, '/custom?a=b')).json).toEqual(
      as.metadata({ token_endpoint: 'https://other.example/token' }),
    );
    expect((await send(as.origin, '/plain')).json).toEqual(as.metadata());
    expect((await send(as.origin, '/plain/')).status).toBe(404);
    expect(as.requestCount('metadata')).toBe(2);
  });
});

describe('what a test puts at a path', () => {
  it('is a document, a listener of its own, or nothing', async () => {
    const as = await started();
    as.serve('/jwks', { keys: [] });
    as.serve('/own', (request, response, body) => {
      response.writeHead(418).end(`${request.method ?? ''} ${body}`);
    });
    expect((await send(as.origin, '/jwks')).json).toEqual({ keys: [] });
    expect(await send(as.origin, '/own', { method: 'PUT', body: 'tea' })).toMatchObject({
      status: 418,
      text: 'PUT tea',
    });
    as.remove('/jwks');
    expect((await send(as.origin, '/jwks')).status).toBe(404);
  });

  it('stays the endpoint that it replaces: it is counted, and fails when it is a document', async () => {
    const as = await started();
    as.serve('/jwks', { keys: [] });
    as.fail('jwks', { status: 500 });
    expect(await send(as.origin, '/jwks')).toMatchObject({ status: 500, json: { keys: [] } });
    as.serve('/jwks', (_request, response) => response.end('by hand'));
    expect(await send(as.origin, '/jwks')).toMatchObject({ status: 200, text: 'by hand' });
    expect(as.requestCount('jwks')).toBe(2);
  });

  it('answers 500 with the message when its listener throws, and ends what it had begun', async () => {
    const as = await started();
    as.serve('/throws', () => {
      throw new Error('a mistake in the test');
    });
    as.serve('/breaks', (_request, response) => {
      response.writeHead(200).write('half');
      throw new Error('a mistake in the test');
    });
    expect(await send(as.origin, '/throws')).toMatchObject({
      status: 500,
      json: { error: 'server_error', error_description: 'Error: a mistake in the test' },
    });
    const broken = await fetch(`${as.origin}/breaks`)
      .then((response) => response.text())
      .catch(String);
    expect(broken).toMatch(/TypeError/);
  });
});

describe('the record of requests', () => {
  it('has method, path, headers and body, and is counted by endpoint', async () => {
    const as = await started();
    await send(as.origin, '/jwks?a=b', { headers: { 'x-test': '1' } });
    await send(as.origin, '/elsewhere', { method: 'POST', body: 'a=b' });
    await send(as.origin, '/.well-known/openid-configuration');
    expect(as.requests).toMatchObject([
      { method: 'GET', path: '/jwks?a=b', headers: { 'x-test': '1' }, body: '', endpoint: 'jwks' },
      { method: 'POST', path: '/elsewhere', body: 'a=b', endpoint: undefined },
      { method: 'GET', path: '/.well-known/openid-configuration', endpoint: 'metadata' },
    ]);
    expect(as.requestCount()).toBe(3);
    expect(as.requestCount('jwks')).toBe(1);
    expect(as.requestCount('introspection')).toBe(0);
    as.resetRequests();
    expect(as.requests).toEqual([]);
    expect(as.requestCount('jwks')).toBe(0);
  });

  it('leaves out a request whose client goes before it is complete', async () => {
    const as = await started();
    const { hostname, port } = new URL(as.origin);
    const { connect } = await import('node:net');
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write('POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf', () => {
          socket.resetAndDestroy();
          resolve();
        });
      });
    });
    expect((await send(as.origin, '/jwks')).status).toBe(200);
    expect(as.requests.map(({ path }) => path)).toEqual(['/jwks']);
  });
});

describe('being down', () => {
  it('rejects connections, then answers at the same port with what it knew', async () => {
    const as = await started();
    const token = as.issueOpaqueToken();
    const { port } = new URL(as.origin);
    await as.goDown();
    await expect(send(as.origin, '/jwks')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(as.issueToken()).resolves.toBeTypeOf('string');
    await as.goDown();
    await as.comeBack();
    expect(new URL(as.origin).port).toBe(port);
    expect((await send(as.origin, '/jwks')).json).toEqual({ keys: [key.publicJwk] });
    expect(token).toMatch(/^[\w-]{43}$/);
  });

  it('lasts when something else has taken the port', async () => {
    const as = await started();
    await as.goDown();
    const { createServer } = await import('node:http');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(Number(new URL(as.origin).port), '127.0.0.1', resolve));
    await expect(as.comeBack()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => other.close(resolve));
    await as.comeBack();
    expect((await send(as.origin, '/jwks')).status).toBe(200);
  });
});

describe('close', () => {
  const sockets = (): number =>
    process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;

  it('leaves nothing that keeps the process alive: no listener, no connection', async () => {
    const before = sockets();
    const as = await TestAuthorizationServer.start({ keys: [key] });
    as.fail('jwks', 'hang');
    as.fail('introspection', 'drip');
    as.fail('metadata', { delayMs: 60_000 });
    const kept = sendRaw(as.origin, 'GET /none HTTP/1.1\r\nHost: a\r\n\r\n');
    const open = ['/jwks', '/introspect', '/.well-known/openid-configuration'].map((path) =>
      fetch(as.origin + path)
        .then((response) => response.text())
        .catch((error: unknown) => error),
    );
    await vi.waitFor(() => {
      expect(as.requestCount()).toBe(4);
    });
    expect(sockets()).toBeGreaterThan(before);
    await as.close();
    expect(await kept).toMatch(/^HTTP\/1\.1 404 /);
    for (const outcome of await Promise.all(open)) expect(outcome).toBeInstanceOf(TypeError);
    await vi.waitFor(() => {
      expect(sockets()).toBeLessThanOrEqual(before);
    });
    await as.close();
  });

  it('happens at the end of a scope', async () => {
    const as = await TestAuthorizationServer.start({ keys: [key] });
    await as[Symbol.asyncDispose]();
    await expect(send(as.origin, '/jwks')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
