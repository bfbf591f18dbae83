import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, createLocalJWKSet, exportJWK, type JSONWebKeySet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readEnvironment } from '../../sample/authorization-server/src/environment.js';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { PageError, Person } from '../../sample/demo/src/person.js';
import { verifies } from '../verifies.js';

const NOTES = 'http://127.0.0.1:3999/notes';
const FILES = 'http://127.0.0.1:3999/files';
const LATER = 'http://127.0.0.1:3999/later';
const REDIRECT_URI = 'http://127.0.0.1:3998/callback';
const CREDENTIALS = { username: 'ada', password: 'correct horse' };
const INTROSPECTION = { clientId: 'notes-server', clientSecret: 'notes-server-secret-for-tests' };
// Marked deprecated only to stand out; the tests run over plain HTTP on loopback.
// eslint-disable-next-line @typescript-eslint/no-deprecated
const http = { [oauth.allowInsecureRequests]: true } as const;

let server: RunningAuthorizationServer;
let as: oauth.AuthorizationServer;
let resources: Record<string, string[]>;
const startResources: Record<string, string[]> = {
  [NOTES]: ['notes:read', 'notes:write', 'notes:admin'],
  [FILES]: ['files:read'],
};

beforeAll(async () => {
  resources = startResources;
  server = await startAuthorizationServer({
    port: 0,
    resources: () => resources,
    ...CREDENTIALS,
    introspectionClient: INTROSPECTION,
  });
  as = await discover('oidc');
});

afterAll(() => server.close());

async function discover(algorithm: 'oidc' | 'oauth2'): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(server.issuer);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...http }));
}

function postRegistration(metadata: Record<string, unknown>): Promise<Response> {
  return fetch(as.registration_endpoint!, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  });
}

const publicClient = {
  client_name: 'Test client',
  redirect_uris: [REDIRECT_URI],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

async function register(metadata: Record<string, unknown> = {}): Promise<oauth.Client> {
  const request = oauth.dynamicClientRegistrationRequest(as, { ...publicClient, ...metadata }, http);
  return oauth.processDynamicClientRegistrationResponse(await request);
}

interface Flow {
  client: oauth.Client;
  person: Person;
  url: URL;
  verifier: string;
  state: string;
}

/** An authorization request that is ready to be opened; `changes` replaces parameters, undefined removes one. */
async function prepare(
  scope: string,
  changes: Record<string, string | undefined> = {},
  reuse: Partial<Pick<Flow, 'client' | 'person'>> = {},
): Promise<Flow> {
  const client = reuse.client ?? (await register());
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const parameters: Record<string, string | undefined> = {
    client_id: client.client_id,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope,
    state,
    resource: NOTES,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...changes,
  };
  const url = new URL(as.authorization_endpoint!);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return { client, person: reuse.person ?? new Person(CREDENTIALS), url, verifier, state };
}

function exchange(
  flow: Flow,
  redirect: URL,
  resource = flow.url.searchParams.get('resource') ?? NOTES,
  DPoP?: oauth.DPoPHandle,
): Promise<Response> {
  const callback = oauth.validateAuthResponse(as, flow.client, redirect, flow.state);
  return oauth.authorizationCodeGrantRequest(
    as,
    flow.client,
    oauth.None(),
    callback,
    REDIRECT_URI,
    flow.verifier,
    {
      additionalParameters: { resource },
      ...(DPoP && { DPoP }),
      ...http,
    },
  );
}

async function tokens(flow: Flow): Promise<oauth.TokenEndpointResponse> {
  const response = await exchange(flow, await flow.person.authorize(flow.url));
  return oauth.processAuthorizationCodeResponse(as, flow.client, response);
}

async function refresh(client: oauth.Client, refreshToken: string, resource = NOTES): Promise<Response> {
  return oauth.refreshTokenGrantRequest(as, client, oauth.None(), refreshToken, {
    additionalParameters: { resource },
    ...http,
  });
}

async function verify(accessToken: string, audience = NOTES) {
  const jwks = (await (await fetch(as.jwks_uri!)).json()) as JSONWebKeySet;
  return jwtVerify(accessToken, createLocalJWKSet(jwks), { issuer: server.issuer, audience, typ: 'at+jwt' });
}

/** The OAuth error that came back to the client in the redirect. */
async function rejection(flow: Flow): Promise<string | null> {
  const redirect = await flow.person.authorize(flow.url);
  // The implicit flow has its answers in the fragment.
  const answer = new URLSearchParams(redirect.hash.slice(1) || redirect.search);
  expect(answer.get('code') ?? answer.get('access_token')).toBeNull();
  expect(answer.get('state')).toBe(flow.state);
  expect(answer.get('iss')).toBe(server.issuer);
  return answer.get('error');
}

async function errorOf(response: Response): Promise<{ status: number; error: string }> {
  const { error } = (await response.json()) as { error: string };
  return { status: response.status, error };
}

describe('metadata', () => {
  verifies('F115', 'is the same document at both well-known addresses', async () => {
    expect(await discover('oauth2')).toEqual(as);
    expect(as).toMatchObject({
      issuer: server.issuer,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      registration_endpoint: `${server.issuer}/reg`,
      scopes_supported: [
        'openid',
        'offline_access',
        'notes:read',
        'notes:write',
        'notes:admin',
        'files:read',
      ],
    });
    expect(as.token_endpoint_auth_methods_supported).toContain('none');
    expect(as.introspection_endpoint_auth_methods_supported).toEqual(['client_secret_basic']);
    for (const endpoint of [
      as.authorization_endpoint,
      as.token_endpoint,
      as.jwks_uri,
      as.introspection_endpoint,
      as.revocation_endpoint,
    ]) {
      expect(endpoint).toMatch(new RegExp(`^${server.issuer}/`));
    }
  });

  verifies('F115', 'publishes only the public part of an RS256 key', async () => {
    const { keys } = (await (await fetch(as.jwks_uri!)).json()) as JSONWebKeySet;
    expect(keys).toEqual([
      { kty: 'RSA', alg: 'RS256', use: 'sig', kid: expect.any(String), e: 'AQAB', n: expect.any(String) },
    ]);
  });

  it('knows a resource that was added after the start', async () => {
    const before = await prepare('later:read', { resource: LATER });
    expect(await rejection(before)).toBe('invalid_target');
    resources = { ...startResources, [LATER]: ['later:read'] };
    try {
      expect((await discover('oauth2')).scopes_supported).toContain('later:read');
      const { access_token } = await tokens(await prepare('later:read', { resource: LATER }));
      expect((await verify(access_token, LATER)).payload).toMatchObject({ aud: LATER, scope: 'later:read' });
    } finally {
      resources = startResources;
    }
  });
});

describe('client registration', () => {
  it('accepts a scope member without making it a limit, and makes clients public by default', async () => {
    const client = await register({ scope: 'notes:read', token_endpoint_auth_method: undefined });
    expect(client).toMatchObject({ token_endpoint_auth_method: 'none', redirect_uris: [REDIRECT_URI] });
    expect(client['client_secret']).toBeUndefined();
    const { scope } = await tokens(await prepare('notes:read notes:write', {}, { client }));
    expect(scope).toBe('notes:read notes:write');
  });

  it('rejects clients with a secret', async () => {
    const response = await postRegistration({
      ...publicClient,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    expect(await errorOf(response)).toEqual({ status: 400, error: 'invalid_client_metadata' });
  });

  for (const uri of ['http://localhost:1234/cb', 'http://[::1]/cb', 'https://client.example/cb']) {
    verifies('F117', `accepts ${uri}`, async () => {
      expect((await postRegistration({ ...publicClient, redirect_uris: [uri] })).status).toBe(201);
    });
  }

  for (const uri of [
    'http://client.example/cb',
    'http://localhost.client.example/cb',
    'http://localhost@client.example/cb',
    'http://127.0.0.1.client.example/cb',
    'com.example:/cb',
    'javascript:alert(1)',
  ]) {
    verifies('F117', `rejects ${uri}, alone and beside a good one`, async () => {
      for (const application_type of ['web', 'native']) {
        for (const redirect_uris of [[uri], [REDIRECT_URI, uri]]) {
          const response = await postRegistration({ ...publicClient, application_type, redirect_uris });
          expect(await errorOf(response)).toEqual({ status: 400, error: 'invalid_redirect_uri' });
        }
      }
    });
  }

  verifies('F117', 'may be switched off; clients that are known still get in', async () => {
    const client = { client_id: 'known' };
    const open = [server, as] as const;
    server = await startAuthorizationServer({
      port: 0,
      resources: startResources,
      ...CREDENTIALS,
      clients: [{ clientId: client.client_id, redirectUris: [REDIRECT_URI] }],
      registration: false,
    });
    try {
      as = await discover('oidc');
      expect(as.registration_endpoint).toBeUndefined();
      const body = JSON.stringify(publicClient);
      const headers = { 'content-type': 'application/json' };
      expect((await fetch(`${server.issuer}/reg`, { method: 'POST', headers, body })).status).toBe(404);
      const { scope, refresh_token } = await tokens(await prepare('notes:read', {}, { client }));
      expect([scope, typeof refresh_token]).toEqual(['notes:read', 'string']);
      const stranger = await prepare('notes:read', {}, { client: { client_id: 'unknown' } });
      expect((await fetch(stranger.url, { redirect: 'manual' })).status).toBe(400);
    } finally {
      await server.close();
      [server, as] = open;
    }
  });

  it('answers pages of other origins, also the preflight', async () => {
    const headers = { origin: 'http://127.0.0.1:3998', 'access-control-request-method': 'POST' };
    const preflight = await fetch(as.registration_endpoint!, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('authorization code flow', () => {
  verifies('F115', 'gives an at+jwt for exactly the requested resource', async () => {
    const flow = await prepare('notes:read');
    const redirect = await flow.person.authorize(flow.url);
    expect(redirect.searchParams.get('iss')).toBe(server.issuer);
    expect(redirect.searchParams.get('state')).toBe(flow.state);
    const answer = await exchange(flow, redirect);
    const response = await oauth.processAuthorizationCodeResponse(as, flow.client, answer);
    expect(response).toMatchObject({ token_type: 'bearer', expires_in: 300, scope: 'notes:read' });
    const { payload, protectedHeader } = await verify(response.access_token);
    expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'at+jwt', kid: expect.any(String) });
    expect(payload).toMatchObject({
      iss: server.issuer,
      aud: NOTES,
      sub: CREDENTIALS.username,
      client_id: flow.client.client_id,
      scope: 'notes:read',
    });
    expect(payload.exp! - payload.iat!).toBe(300);
  });

  it('honours a configured lifetime', async () => {
    const short = await startAuthorizationServer({
      port: 0,
      resources: { [NOTES]: ['notes:read'] },
      ...CREDENTIALS,
      accessTokenLifetimeSeconds: 2,
    });
    const [longServer, longAs] = [server, as];
    try {
      server = short;
      as = await discover('oidc');
      expect((await tokens(await prepare('notes:read'))).expires_in).toBe(2);
    } finally {
      [server, as] = [longServer, longAs];
      await short.close();
    }
  });

  it('gives a token for the authorized resource when the token request names none', async () => {
    const flow = await prepare('openid notes:read');
    const callback = oauth.validateAuthResponse(
      as,
      flow.client,
      await flow.person.authorize(flow.url),
      flow.state,
    );
    const { client, verifier } = flow;
    const request = oauth.authorizationCodeGrantRequest(
      as,
      client,
      oauth.None(),
      callback,
      REDIRECT_URI,
      verifier,
      http,
    );
    const { access_token } = await oauth.processAuthorizationCodeResponse(as, client, await request);
    expect((await verify(access_token)).payload).toMatchObject({ aud: NOTES, scope: 'notes:read' });
  });

  it('rejects a token for a resource that was not authorized', async () => {
    const flow = await prepare('notes:read');
    const response = await exchange(flow, await flow.person.authorize(flow.url), FILES);
    expect(await errorOf(response)).toEqual({ status: 400, error: 'invalid_target' });
  });

  for (const [title, changes, error] of [
    [
      'without code_challenge',
      { code_challenge: undefined, code_challenge_method: undefined },
      'invalid_request',
    ],
    ['with the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['with code_challenge but no method', { code_challenge_method: undefined }, 'invalid_request'],
    ['for an unknown resource', { resource: 'http://127.0.0.1:3999/notes/' }, 'invalid_target'],
    ['without a resource', { resource: undefined }, 'invalid_target'],
    ['without a scope', { scope: undefined }, 'invalid_scope'],
    ['for the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
  ] as const) {
    verifies('F116', `rejects a request ${title}, with state and iss`, async () => {
      expect(await rejection(await prepare('notes:read', changes))).toBe(error);
    });
  }

  for (const redirect_uri of [
    `${REDIRECT_URI}/`,
    `${REDIRECT_URI}?a=b`,
    'http://127.0.0.1:3997/callback',
    'http://localhost:3998/callback',
    'https://attacker.example/',
  ]) {
    verifies('F116', `rejects redirect_uri ${redirect_uri} on its own page, without a redirect`, async () => {
      const { url } = await prepare('notes:read', { redirect_uri });
      const response = await fetch(url, { redirect: 'manual', headers: { accept: 'text/html' } });
      expect(response.status).toBe(400);
      expect(response.headers.get('location')).toBeNull();
      expect(response.headers.get('cache-control')).toContain('no-store');
      expect(await response.text()).toContain('invalid_redirect_uri');
    });
  }
});

describe('a code', () => {
  const rejected = { status: 400, error: 'invalid_grant' };

  /** Sends a good token request, except `changes`; undefined leaves a parameter out. */
  async function redeem(flow: Flow, redirect: URL, changes: Record<string, string | undefined> = {}) {
    const parameters = {
      grant_type: 'authorization_code',
      code: redirect.searchParams.get('code') ?? undefined,
      client_id: flow.client.client_id,
      redirect_uri: REDIRECT_URI,
      code_verifier: flow.verifier,
      ...changes,
    };
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) form.set(name, value);
    return fetch(as.token_endpoint!, { method: 'POST', body: form });
  }

  verifies('F116', 'is good once, and what it gave is revoked when it comes again', async () => {
    const flow = await prepare('notes:read');
    const redirect = await flow.person.authorize(flow.url);
    const first = await redeem(flow, redirect);
    const { refresh_token } = await oauth.processAuthorizationCodeResponse(as, flow.client, first);
    expect(await errorOf(await redeem(flow, redirect))).toEqual(rejected);
    expect(await errorOf(await refresh(flow.client, refresh_token!))).toEqual(rejected);
  });

  for (const [title, changes, error = 'invalid_grant'] of [
    ['with another redirect_uri', { redirect_uri: `${REDIRECT_URI}/` }],
    ['without a redirect_uri', { redirect_uri: undefined }, 'invalid_request'],
    ['with a wrong code_verifier', { code_verifier: oauth.generateRandomCodeVerifier() }],
    ['without a code_verifier', { code_verifier: undefined }],
    ['that was made up', { code: 'A'.repeat(43) }],
  ] as const) {
    verifies('F116', `is rejected ${title}`, async () => {
      const flow = await prepare('notes:read');
      const response = await redeem(flow, await flow.person.authorize(flow.url), changes);
      expect(await errorOf(response)).toEqual({ status: 400, error });
    });
  }

  verifies('F116', 'is rejected for another client', async () => {
    const flow = await prepare('notes:read');
    const { client_id } = await register();
    const response = await redeem(flow, await flow.person.authorize(flow.url), { client_id });
    expect(await errorOf(response)).toEqual(rejected);
  });

  verifies('F116', 'is good for a minute and no longer', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      for (const [ageSeconds, expected] of [
        [57, 200],
        [62, 400],
      ] as const) {
        const flow = await prepare('notes:read');
        const redirect = await flow.person.authorize(flow.url);
        vi.setSystemTime(Date.now() + ageSeconds * 1000);
        expect((await redeem(flow, redirect)).status).toBe(expected);
      }
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('scopes', () => {
  it.each(['notes:delete', 'notes:read notes:delete', 'files:read'])(
    'never grants "%s" on notes',
    async (scope) => {
      expect(await rejection(await prepare(scope))).toBe('invalid_scope');
    },
  );

  it('adds a scope by step-up after asking again, and still gives small tokens on small requests', async () => {
    const first = await prepare('notes:read');
    const { client, person } = first;
    expect((await tokens(first)).scope).toBe('notes:read');

    const pagesBefore = person.pages.length;
    const stepUp = await tokens(await prepare('notes:read notes:write', {}, { client, person }));
    const shown = person.pages.slice(pagesBefore).map(({ html }) => html);
    expect(shown).toHaveLength(1);
    expect(shown[0]).toMatch(/notes:read<\/code>\s*<span class="soft">· allowed before</);
    expect(shown[0]).toMatch(/notes:write<\/code>\s*<span class="soft">· <strong>new</);
    expect((await verify(stepUp.access_token)).payload['scope']).toBe('notes:read notes:write');

    const small = await tokens(await prepare('notes:read', {}, { client, person }));
    expect((await verify(small.access_token)).payload['scope']).toBe('notes:read');
    expect(person.pages).toHaveLength(pagesBefore + 1);
  });

  it('does not add a scope when the step-up is denied', async () => {
    const first = await prepare('notes:read');
    const { client, person } = first;
    await tokens(first);
    const denied = await prepare('notes:read notes:admin', {}, { client, person });
    expect((await person.deny(denied.url)).searchParams.get('error')).toBe('access_denied');
    expect((await tokens(await prepare('notes:read', {}, { client, person }))).scope).toBe('notes:read');
  });

  it('asks the same person again for another client', async () => {
    const { person } = await prepare('notes:read');
    await tokens(await prepare('notes:read', {}, { person }));
    const pagesBefore = person.pages.length;
    await tokens(await prepare('notes:read', {}, { person }));
    expect(person.pages.slice(pagesBefore).map(({ html }) => html.includes('Allow access?'))).toEqual([true]);
  });
});

describe('native clients', () => {
  it('use any loopback port and are asked each time', async () => {
    const client = await register({
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
    });
    const first = await prepare('notes:read', {}, { client });
    expect((await tokens(first)).scope).toBe('notes:read');
    const pagesBefore = first.person.pages.length;
    expect((await tokens(await prepare('notes:read', {}, { client, person: first.person }))).scope).toBe(
      'notes:read',
    );
    expect(first.person.pages).toHaveLength(pagesBefore + 1);
    const elsewhere = await prepare(
      'notes:read',
      { redirect_uri: 'http://127.0.0.1:3998/other' },
      { client },
    );
    expect((await fetch(elsewhere.url, { redirect: 'manual' })).status).toBe(400);
  });
});

describe('refresh tokens', () => {
  verifies('F115', 'rotate; a used one is rejected and takes its successors with it', async () => {
    const flow = await prepare('notes:read');
    const first = await tokens(flow);
    const response = await refresh(flow.client, first.refresh_token!);
    const second = await oauth.processRefreshTokenResponse(as, flow.client, response);
    expect(second.refresh_token).toEqual(expect.any(String));
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect((await verify(second.access_token)).payload).toMatchObject({ aud: NOTES, scope: 'notes:read' });

    const invalid = { status: 400, error: 'invalid_grant' };
    expect(await errorOf(await refresh(flow.client, first.refresh_token!))).toEqual(invalid);
    expect(await errorOf(await refresh(flow.client, second.refresh_token!))).toEqual(invalid);
  });

  it('are rejected for another client and for another resource', async () => {
    const flow = await prepare('notes:read');
    const { refresh_token } = await tokens(flow);
    const stranger = await register();
    expect(await errorOf(await refresh(stranger, refresh_token!))).toMatchObject({ error: 'invalid_grant' });
    const elsewhere = await refresh(flow.client, refresh_token!, FILES);
    expect(await errorOf(elsewhere)).toMatchObject({ error: 'invalid_target' });
  });

  it('are not given to a client that did not register the grant', async () => {
    const client = await register({ grant_types: ['authorization_code'] });
    expect((await tokens(await prepare('notes:read', {}, { client }))).refresh_token).toBeUndefined();
  });

  it('let the person allow access again after the grant was revoked', async () => {
    const flow = await prepare('notes:read');
    const { client, person } = flow;
    const { refresh_token } = await tokens(flow);
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, oauth.None(), refresh_token!, http),
    );
    expect((await tokens(await prepare('notes:read', {}, { client, person }))).scope).toBe('notes:read');
  });
});

describe('introspection and revocation', () => {
  const caller: oauth.Client = { client_id: INTROSPECTION.clientId };

  async function introspect(token: string) {
    const auth = oauth.ClientSecretBasic(INTROSPECTION.clientSecret);
    const response = await oauth.introspectionRequest(as, caller, auth, token, http);
    return oauth.processIntrospectionResponse(as, caller, response);
  }

  verifies('F118', 'needs the secret of the introspecting client, by HTTP Basic', async () => {
    const flow = await prepare('notes:read');
    const { refresh_token } = await tokens(flow);
    expect(await introspect(refresh_token!)).toMatchObject({
      active: true,
      client_id: flow.client.client_id,
      sub: CREDENTIALS.username,
      scope: 'notes:read',
    });

    const methods = [
      oauth.None(),
      oauth.ClientSecretBasic('wrong'),
      oauth.ClientSecretPost(INTROSPECTION.clientSecret),
    ];
    for (const auth of methods) {
      const response = await oauth.introspectionRequest(as, caller, auth, refresh_token!, http);
      expect(await errorOf(response)).toEqual({ status: 401, error: 'invalid_client' });
    }
  });

  verifies('F118', 'answers 401 without credentials, whatever the token', async () => {
    const { refresh_token = '' } = await tokens(await prepare('notes:read'));
    const none: HeadersInit = {};
    for (const headers of [none, { authorization: `Bearer ${refresh_token}` }, { authorization: 'Basic' }]) {
      for (const token of [refresh_token, 'unknown']) {
        const body = new URLSearchParams({ token });
        const response = await fetch(as.introspection_endpoint!, { method: 'POST', headers, body });
        expect(response.headers.get('www-authenticate')).toMatch(/^Basic /);
        expect(await errorOf(response)).toEqual({ status: 401, error: 'invalid_client' });
      }
    }
  });

  verifies('F118', 'tells a public client nothing, not even about its own token', async () => {
    const flow = await prepare('notes:read');
    const { refresh_token } = await tokens(flow);
    for (const auth of [oauth.None(), oauth.ClientSecretBasic('guess')]) {
      const response = await oauth.introspectionRequest(as, flow.client, auth, refresh_token!, http);
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain('active');
    }
  });

  verifies(['F118', 'F119'], 'knows of opaque access tokens too, and revokes them', async () => {
    const [jwtServer, jwtAs] = [server, as];
    server = await startAuthorizationServer({
      port: 0,
      resources: startResources,
      ...CREDENTIALS,
      introspectionClient: INTROSPECTION,
      accessTokenFormat: 'opaque',
    });
    try {
      as = await discover('oidc');
      const flow = await prepare('notes:read');
      const { access_token, refresh_token } = await tokens(flow);
      const other = await tokens(await prepare('notes:read', {}, { person: flow.person }));
      expect(access_token).not.toContain('.');
      expect(await introspect(access_token)).toMatchObject({ active: true, aud: NOTES, scope: 'notes:read' });
      // Revoking a refresh token revokes the grant, and what came of it.
      await oauth.revocationRequest(as, flow.client, oauth.None(), refresh_token!, http);
      expect(await introspect(access_token)).toEqual({ active: false });
      expect(await introspect(other.access_token)).toMatchObject({ active: true });
    } finally {
      await server.close();
      [server, as] = [jwtServer, jwtAs];
    }
  });

  verifies('F119', 'revokes a refresh token, but only for its own client', async () => {
    const flow = await prepare('notes:read');
    const { refresh_token } = await tokens(flow);
    const stranger = await register();
    await oauth.revocationRequest(as, stranger, oauth.None(), refresh_token!, http);
    expect(await introspect(refresh_token!)).toMatchObject({ active: true });

    const response = await oauth.revocationRequest(as, flow.client, oauth.None(), refresh_token!, http);
    await oauth.processRevocationResponse(response);
    expect(await introspect(refresh_token!)).toEqual({ active: false });
    expect(await errorOf(await refresh(flow.client, refresh_token!))).toEqual({
      status: 400,
      error: 'invalid_grant',
    });
  });
});

describe('tokens that are bound by DPoP', () => {
  interface Bound {
    readonly flow: Flow;
    readonly jkt: string;
    readonly answer: oauth.TokenEndpointResponse;
    readonly handle: oauth.DPoPHandle;
  }

  /** Signs in with a key of the client. */
  async function bound(): Promise<Bound> {
    const flow = await prepare('notes:read');
    const pair = await oauth.generateKeyPair('ES256', { extractable: true });
    const handle = oauth.DPoP(flow.client, pair);
    const redirect = await flow.person.authorize(flow.url);
    const response = await exchange(flow, redirect, NOTES, handle);
    const answer = await oauth.processAuthorizationCodeResponse(as, flow.client, response);
    return { flow, handle, answer, jkt: await calculateJwkThumbprint(await exportJWK(pair.publicKey)) };
  }

  verifies('POP-17', 'are JWTs with the thumbprint of the key, and the metadata offers them', async () => {
    expect(as.dpop_signing_alg_values_supported).toEqual(['ES256', 'Ed25519', 'EdDSA']);
    const { answer, jkt } = await bound();
    expect(answer.token_type).toBe('dpop');
    expect((await verify(answer.access_token)).payload).toMatchObject({ aud: NOTES, cnf: { jkt } });
  });

  verifies('POP-17', 'are given only to a client that sends a proof', async () => {
    const answer = await tokens(await prepare('notes:read'));
    expect(answer.token_type).toBe('bearer');
    expect((await verify(answer.access_token)).payload).not.toHaveProperty('cnf');
  });

  verifies('POP-17', 'come from a refresh token only with a proof of the same key', async () => {
    const { flow, answer, handle, jkt } = await bound();
    const again = (DPoP?: oauth.DPoPHandle): Promise<Response> =>
      oauth.refreshTokenGrantRequest(as, flow.client, oauth.None(), answer.refresh_token ?? '', {
        additionalParameters: { resource: NOTES },
        ...(DPoP && { DPoP }),
        ...http,
      });
    const other = oauth.DPoP(flow.client, await oauth.generateKeyPair('ES256'));
    for (const handleOrNone of [undefined, other])
      expect(await errorOf(await again(handleOrNone))).toMatchObject({ error: 'invalid_grant' });
    const next = await oauth.processRefreshTokenResponse(as, flow.client, await again(handle));
    expect((await verify(next.access_token)).payload).toMatchObject({ cnf: { jkt } });
  });

  verifies('POP-17', 'can be opaque: introspection has the thumbprint', async () => {
    const [jwtServer, jwtAs] = [server, as];
    server = await startAuthorizationServer({
      port: 0,
      resources: startResources,
      ...CREDENTIALS,
      introspectionClient: INTROSPECTION,
      accessTokenFormat: 'opaque',
    });
    try {
      as = await discover('oidc');
      const { answer, jkt } = await bound();
      const caller = { client_id: INTROSPECTION.clientId };
      const auth = oauth.ClientSecretBasic(INTROSPECTION.clientSecret);
      const response = await oauth.introspectionRequest(as, caller, auth, answer.access_token, http);
      expect(await oauth.processIntrospectionResponse(as, caller, response)).toMatchObject({
        active: true,
        token_type: 'DPoP',
        cnf: { jkt },
      });
    } finally {
      await server.close();
      [server, as] = [jwtServer, jwtAs];
    }
  });
});

describe('pages', () => {
  it.each([
    { username: CREDENTIALS.username, password: 'battery staple' },
    { username: 'nobody', password: CREDENTIALS.password },
  ])('show the sign-in page again for $username / $password', async (credentials) => {
    const person = new Person(credentials);
    const { url } = await prepare('notes:read', {}, { person });
    const error = await person.authorize(url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PageError);
    const { status, html } = error as PageError;
    expect(status).toBe(401);
    expect(html).toContain('The username or the password is wrong.');
    expect(html).toContain('<label for="password">');
    expect(html).not.toContain(credentials.password);
  });

  it('send a denial back to the client with state and iss', async () => {
    const flow = await prepare('notes:read');
    const redirect = await flow.person.deny(flow.url);
    expect(Object.fromEntries(redirect.searchParams)).toMatchObject({
      error: 'access_denied',
      state: flow.state,
      iss: server.issuer,
    });
    expect(redirect.searchParams.get('code')).toBeNull();
  });

  verifies('F120', 'escape the name a client gave itself', async () => {
    const client = await register({ client_name: `<script>alert("1")</script>` });
    const flow = await prepare('notes:read', {}, { client });
    await flow.person.authorize(flow.url);
    expect(flow.person.pages).toHaveLength(2);
    for (const { html } of flow.person.pages) {
      expect(html).not.toContain('<script');
      expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;');
    }
    const wrong = new Person({ username: '<script>', password: '"><script>' });
    const again = await prepare('notes:read', {}, { client, person: wrong });
    await expect(wrong.authorize(again.url)).rejects.toThrow(PageError);
    expect(wrong.pages).toHaveLength(2);
    for (const { html } of wrong.pages) expect(html).not.toContain('<script');
  });

  verifies('F120', 'escape what stands in the address', async () => {
    const evil = '"><script>alert(1)</script>';
    for (const [name, value] of [
      ['client_id', evil],
      ['redirect_uri', `https://client.example/${evil}`],
      ['response_type', evil],
      ['prompt', evil],
    ] as const) {
      const { url } = await prepare('notes:read', { [name]: value, redirect_uri: undefined });
      if (name === 'redirect_uri') url.searchParams.set(name, value);
      const response = await fetch(url, { redirect: 'manual', headers: { accept: 'text/html' } });
      expect(response.headers.get('location') ?? '').not.toContain('<script');
      expect(await response.text()).not.toContain('<script');
    }
    const unknown = await fetch(`${server.issuer}/interaction/${encodeURIComponent(evil)}`);
    expect(unknown.status).toBe(400);
    expect(await unknown.text()).not.toContain('<script');
  });

  it('say who asks for what, and carry protective headers', async () => {
    const { person, url } = await prepare('notes:read notes:write');
    await person.authorize(url);
    const consent = person.pages.at(-1)!.html;
    for (const text of ['lang="en"', 'Test client', NOTES, 'notes:read', 'notes:write', '127.0.0.1:3998']) {
      expect(consent).toContain(text);
    }
    expect(consent).not.toContain('notes:admin');
    const { headers } = await fetch(`${server.issuer}/interaction/unknown`);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers.get('content-security-policy')).not.toContain('form-action');
    const style = /<style>(.*?)<\/style>/s.exec(consent)![1]!;
    const styleHash = createHash('sha256').update(style).digest('base64');
    expect(headers.get('content-security-policy')).toContain(`style-src 'sha256-${styleHash}'`);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('answer only the browser that started the request', async () => {
    const { person, url } = await prepare('notes:read');
    await person.authorize(url);
    const { url: consentUrl } = person.pages.at(-1)!;
    const other = await prepare('notes:read');
    const started = await fetch(other.url, { redirect: 'manual' });
    const interaction = new URL(started.headers.get('location')!, server.issuer);
    const ownCookie = started.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');

    // Without the cookie, with the cookie of another interaction, and at the wrong step.
    const attempts: [string, Record<string, string>][] = [
      [`${interaction.href}/login`, {}],
      [`${consentUrl.href}/login`, { cookie: ownCookie }],
      [`${interaction.href}/confirm`, { cookie: ownCookie }],
    ];
    for (const [address, headers] of attempts) {
      const response = await fetch(address, { method: 'POST', headers, redirect: 'manual' });
      expect(response.status).toBe(400);
      expect(response.headers.get('content-type')).toContain('text/html');
    }
    expect((await fetch(interaction, { headers: { cookie: ownCookie } })).status).toBe(200);
  });
});

describe('browser clients', () => {
  it('may call the token endpoint from the origin of their redirect URI only', async () => {
    const client = await register();
    const call = (origin: string) =>
      fetch(as.token_endpoint!, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          client_id: client.client_id,
          refresh_token: 'x',
        }),
      });
    const allowed = await call(new URL(REDIRECT_URI).origin);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(new URL(REDIRECT_URI).origin);
    expect((await call('https://attacker.example')).headers.get('access-control-allow-origin')).toBeNull();
    const metadata = await fetch(`${server.issuer}/.well-known/oauth-authorization-server`, {
      headers: { origin: 'https://anyone.example' },
    });
    expect(metadata.headers.get('access-control-allow-origin')).toBe('https://anyone.example');
  });
});

describe('the environment', () => {
  verifies('F120', 'gives credentials, port and resources, or the defaults for loopback', () => {
    expect(readEnvironment({})).toEqual({
      port: 4000,
      resources: { 'http://127.0.0.1:3000/notes': ['notes:read', 'notes:write', 'notes:admin'] },
      username: 'demo',
      password: 'demo',
      passwordIsDefault: true,
    });
    const given = { AS_USERNAME: 'ada', AS_PASSWORD: 'p', PORT: '0', AS_RESOURCES: `{"${FILES}":["a"]}` };
    expect(readEnvironment(given)).toEqual({
      ...{ port: 0, resources: { [FILES]: ['a'] }, username: 'ada', password: 'p' },
      passwordIsDefault: false,
    });
    for (const [name, value] of [
      ['AS_USERNAME', ''],
      ['AS_PASSWORD', ''],
      ['PORT', '65536'],
      ['PORT', '-1'],
      ['AS_RESOURCES', '{}'],
      ['AS_RESOURCES', `{"${FILES}#x":["a"]}`],
      ['AS_RESOURCES', `{"${FILES}":["a b"]}`],
    ] as const) {
      expect(() => readEnvironment({ ...given, [name]: value })).toThrow(`${name} must`);
    }
  });
});

describe('startAuthorizationServer', () => {
  verifies('F115', 'rejects while NODE_ENV is production', async () => {
    const port = await freePort();
    vi.stubEnv('NODE_ENV', 'production');
    try {
      const started = startAuthorizationServer({ port, resources: {}, ...CREDENTIALS });
      await expect(started).rejects.toThrow('does not start while NODE_ENV is "production"');
    } finally {
      vi.unstubAllEnvs();
    }
    const server = await startAuthorizationServer({ port, resources: {}, ...CREDENTIALS });
    await server.close();
  });

  it('frees its port on close, twice is fine, and a taken port is an error', async () => {
    const options = { resources: {}, ...CREDENTIALS };
    const first = await startAuthorizationServer({ port: 0, ...options });
    const port = Number(new URL(first.issuer).port);
    expect(first.issuer).toBe(`http://127.0.0.1:${port}`);
    await expect(startAuthorizationServer({ port, ...options })).rejects.toThrow('EADDRINUSE');
    await first.close();
    await first.close();
    const second = await startAuthorizationServer({ port, ...options });
    expect(second.issuer).toBe(first.issuer);
    await second.close();
  });
});
