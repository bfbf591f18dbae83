import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { type HttpAnswer, type HttpRequestOptions, send } from '../../test/fixtures/http.js';
import { closeAfterTest } from '../../test/fixtures/opened.js';
import { TestAuthorizationServer } from './test-authorization-server.js';
import type { TestAuthorizationServerOptions, TestClient } from './test-authorization-server.interface.js';
import { makeTestKey } from './test-keys.js';

// eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated to be seen; the server is on loopback
const INSECURE = { [oauth.allowInsecureRequests]: true } as const;
const JWT_ANSWER = 'application/token-introspection+jwt';
const FORM = 'application/x-www-form-urlencoded';
const key = await makeTestKey('ES256');
const clientKey = await makeTestKey('ES256', 'client-key');
const strangersKey = await makeTestKey('ES256', 'client-key');

const CLIENT: TestClient = { clientId: 'rs one:ü', clientSecret: 'a+b c:d%&=ü' };
const SECRET = CLIENT.clientSecret ?? '';
const JWT_CLIENT: TestClient = { clientId: 'rs', publicJwk: clientKey.publicJwk };

async function started(options: TestAuthorizationServerOptions = {}): Promise<TestAuthorizationServer> {
  return closeAfterTest(
    await TestAuthorizationServer.start({ keys: [key], introspectionClient: CLIENT, ...options }),
  );
}

/** Introspects as a client library does. */
function ask(
  as: TestAuthorizationServer,
  token: string,
  auth: oauth.ClientAuth = oauth.ClientSecretBasic(SECRET),
  { clientId = as.introspectionClient.clientId, jwt = false } = {},
): Promise<Response> {
  const server = as.metadata() as unknown as oauth.AuthorizationServer;
  const client = { client_id: clientId };
  return oauth.introspectionRequest(server, client, auth, token, { ...INSECURE, requestJwtResponse: jwt });
}

async function described(as: TestAuthorizationServer, token: string): Promise<oauth.IntrospectionResponse> {
  const server = as.metadata() as unknown as oauth.AuthorizationServer;
  const client = { client_id: as.introspectionClient.clientId };
  return oauth.processIntrospectionResponse(server, client, await ask(as, token));
}

function post(
  as: TestAuthorizationServer,
  form: Record<string, string>,
  { headers, ...more }: HttpRequestOptions = {},
  path = '/introspect',
): Promise<HttpAnswer> {
  const body = new URLSearchParams(form).toString();
  return send(as.origin, path, {
    method: 'POST',
    body,
    headers: { 'content-type': FORM, ...headers },
    ...more,
  });
}

const REJECTED = {
  error: 'invalid_client',
  error_description: 'Client authentication is missing or wrong',
};
const SECRET_POST = { client_id: CLIENT.clientId, client_secret: SECRET };

function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

async function key256(from: typeof clientKey): Promise<oauth.PrivateKey> {
  const jwk = from.privateKey.export({ format: 'jwk' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  return { key: await crypto.subtle.importKey('jwk', jwk, algorithm, true, ['sign']), kid: from.kid };
}

describe('introspection', () => {
  verifies('POP-25', 'says of a token that is bound to a key that its type is DPoP', async () => {
    const as = await started();
    const claims = { cnf: { jkt: 'thumbprint' } };
    for (const token of [as.issueOpaqueToken({ claims }), await as.issueToken({ claims })])
      expect(await described(as, token)).toMatchObject({ token_type: 'DPoP', ...claims });
    for (const cnf of [undefined, null, {}, { 'x5t#S256': 'thumbprint' }]) {
      const token = as.issueOpaqueToken({ claims: { cnf } });
      expect(await described(as, token)).toMatchObject({ token_type: 'Bearer' });
    }
  });

  it('describes a JWT that the server has issued', async () => {
    const as = await started();
    const token = await as.issueToken({ scopes: ['a', 'b'], audience: 'https://api.example.com' });
    expect(await described(as, token)).toEqual({
      active: true,
      token_type: 'Bearer',
      ...decodeJwt(token),
    });
  });

  it('describes an opaque token', async () => {
    const as = await started();
    const token = as.issueOpaqueToken({ sub: 'ada', clientId: 'editor', scopes: ['a'], audience: 'api' });
    expect(await described(as, token)).toMatchObject({
      active: true,
      token_type: 'Bearer',
      iss: as.issuer,
      sub: 'ada',
      client_id: 'editor',
      scope: 'a',
      aud: 'api',
      iat: expect.any(Number) as number,
      exp: expect.any(Number) as number,
      jti: expect.any(String) as string,
    });
    expect(as.issueOpaqueToken()).not.toBe(as.issueOpaqueToken());
  });

  it('says nothing of a token that is unknown, by one character', async () => {
    const as = await started();
    expect(await described(as, `${as.issueOpaqueToken()}x`)).toEqual({ active: false });
  });

  it('calls a token active until the second in which it expires, and from its nbf on', async () => {
    let seconds = 1000;
    const as = await started({ now: () => new Date(seconds * 1000) });
    const token = as.issueOpaqueToken({ expiresInSeconds: 10, claims: { nbf: 1005 } });
    const active: Record<number, boolean> = {};
    for (seconds of [1004, 1005, 1009, 1010]) active[seconds] = (await described(as, token)).active;
    expect(active).toEqual({ 1004: false, 1005: true, 1009: true, 1010: false });
    const endless = as.issueOpaqueToken({ claims: { exp: undefined } });
    seconds = 1e9;
    expect((await described(as, endless)).active).toBe(true);
  });

  it('answers as JSON that is not to be stored', async () => {
    const as = await started();
    const answer = await post(as, { token: 'x', ...SECRET_POST });
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      json: { active: false },
    });
  });

  it.each<[string, HttpRequestOptions, number, string]>([
    ['is not a POST', { method: 'PUT' }, 405, 'Only POST'],
    ['is JSON', { headers: { 'content-type': 'application/json' } }, 400, `The body is not ${FORM}`],
    ['has no token', { body: new URLSearchParams(SECRET_POST).toString() }, 400, 'There is no token'],
  ])('rejects a request that %s', async (_, request, status, error_description) => {
    const answer = await post(await started(), { token: 'x', ...SECRET_POST }, request);
    expect(answer).toMatchObject({ status, json: { error: 'invalid_request', error_description } });
  });

  it('rejects a body of no type', async () => {
    const as = await started();
    const { status } = await send(as.origin, '/introspect', { method: 'POST', body: 'token=x' });
    expect(status).toBe(400);
  });
});

describe('client authentication', () => {
  async function expectRejected(as: TestAuthorizationServer, response: Response): Promise<void> {
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(`Basic realm="${as.issuer}"`);
    expect(await response.json()).toEqual(REJECTED);
  }

  verifies('F118', 'is needed', async () => {
    const as = await started();
    await expectRejected(as, await ask(as, 'x', oauth.None()));
    expect(await post(as, { token: as.issueOpaqueToken() })).toMatchObject({ status: 401, json: REJECTED });
  });

  it.each<[string, (secret: string) => oauth.ClientAuth]>([
    ['client_secret_basic', oauth.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost],
  ])('takes %s with the right id and secret only', async (_, auth) => {
    const as = await started();
    const token = as.issueOpaqueToken();
    expect(await (await ask(as, token, auth(SECRET))).json()).toMatchObject({ active: true });
    await expectRejected(as, await ask(as, token, auth(`${SECRET}x`)));
    await expectRejected(as, await ask(as, token, auth(SECRET), { clientId: `${CLIENT.clientId}x` }));
  });

  it.each([
    ['not encoded for a form', basic(CLIENT.clientId, SECRET)],
    ['an id without a secret', `Basic ${Buffer.from('rs').toString('base64')}`],
    ['empty', 'Basic '],
    [
      'of another scheme',
      basic(encodeURIComponent(CLIENT.clientId), encodeURIComponent(SECRET)).replace('B', 'X'),
    ],
  ])('rejects a basic header that is %s', async (_, authorization) => {
    const as = await started();
    expect(await post(as, { token: 'x' }, { headers: { authorization } })).toMatchObject({
      status: 401,
      json: REJECTED,
    });
  });

  verifies('OPQ-02', 'takes a bearer token, the right one only', async () => {
    const as = await started({ introspectionClient: { clientId: 'rs', bearerToken: 'own-token' } });
    const status = async (authorization: string): Promise<number> =>
      (await post(as, { token: 'x' }, { headers: { authorization } })).status;
    expect([await status('Bearer own-token'), await status('bearer own-token')]).toEqual([200, 200]);
    for (const wrong of ['Bearer own-toke', 'Bearer', 'Basic own-token', 'own-token', 'Bearer undefined'])
      expect([wrong, await status(wrong)]).toEqual([wrong, 401]);
    expect((await post(as, { token: 'x' })).status).toBe(401);
    expect(as.metadata()).toMatchObject({
      introspection_endpoint_auth_methods_supported: ['Bearer'],
      revocation_endpoint_auth_methods_supported: [],
    });
    const without = await started();
    expect(
      (await post(without, { token: 'x' }, { headers: { authorization: 'Bearer undefined' } })).status,
    ).toBe(401);
  });

  it('takes one proof, not two', async () => {
    const as = await started();
    const authorization = basic(encodeURIComponent(CLIENT.clientId), encodeURIComponent(SECRET));
    const one = await post(as, { token: 'x' }, { headers: { authorization } });
    const two = await post(as, { token: 'x', ...SECRET_POST }, { headers: { authorization } });
    expect(one.status).toBe(200);
    expect(two).toMatchObject({
      status: 400,
      json: { error: 'invalid_request', error_description: 'More than one client authentication' },
    });
  });

  it('takes only the methods that the client may use', async () => {
    const as = await started({ introspectionClient: { ...CLIENT, authMethods: ['client_secret_post'] } });
    expect((await ask(as, 'x', oauth.ClientSecretPost(SECRET))).status).toBe(200);
    await expectRejected(as, await ask(as, 'x', oauth.ClientSecretBasic(SECRET)));
    expect(as.metadata()).toMatchObject({
      introspection_endpoint_auth_methods_supported: ['client_secret_post'],
    });
  });

  it('is not needed where the client has the method none, which no other client may use', async () => {
    const as = await started({ introspectionClient: { clientId: 'rs', authMethods: ['none'] } });
    expect((await post(as, { token: 'x' })).status).toBe(200);
    expect((await ask(as, 'x', oauth.None())).status).toBe(200);
    await expectRejected(as, await ask(as, 'x', oauth.None(), { clientId: 'rs2' }));
  });

  it('has a client of its own when none is given', async () => {
    const as = closeAfterTest(await TestAuthorizationServer.start({ keys: [key] }));
    const { clientId, clientSecret = '' } = as.introspectionClient;
    expect({ clientId, clientSecret }).toEqual({
      clientId: 'resource-server',
      clientSecret: 'resource-server-secret',
    });
    expect((await ask(as, 'x', oauth.ClientSecretBasic(clientSecret))).status).toBe(200);
  });
});

describe('private_key_jwt', () => {
  /** An assertion changed before it is signed. */
  async function asking(
    as: TestAuthorizationServer,
    change: (payload: Record<string, unknown>) => void = () => undefined,
    signer = clientKey,
  ): Promise<number> {
    const modify = (_header: object, payload: Record<string, unknown>): void => {
      change(payload);
    };
    const auth = oauth.PrivateKeyJwt(await key256(signer), { [oauth.modifyAssertion]: modify });
    return (await ask(as, 'x', auth)).status;
  }

  const seconds = (): number => Math.floor(Date.now() / 1000);

  it('is taken from the registered key, for the issuer or the endpoint', async () => {
    const as = await started({ introspectionClient: JWT_CLIENT });
    expect(as.metadata()).toMatchObject({
      introspection_endpoint_auth_methods_supported: ['private_key_jwt'],
    });
    expect(await asking(as)).toBe(200);
    expect(await asking(as, (payload) => (payload['aud'] = as.introspectionEndpoint))).toBe(200);
  });

  it.each<[string, (payload: Record<string, unknown>) => void]>([
    ['for another audience', (payload) => (payload['aud'] = `${String(payload['aud'])}/x`)],
    ['of another issuer', (payload) => (payload['iss'] = 'rs2')],
    ['of another subject', (payload) => (payload['sub'] = 'rs2')],
    ['that has expired', (payload) => (payload['exp'] = seconds() - 1)],
    ['without an expiry', (payload) => delete payload['exp']],
    ['without an id', (payload) => delete payload['jti']],
  ])('is rejected %s', async (_, change) => {
    expect(await asking(await started({ introspectionClient: JWT_CLIENT }), change)).toBe(401);
  });

  it('is rejected from another key, a second time, and without a registered key', async () => {
    const as = await started({ introspectionClient: JWT_CLIENT });
    expect(await asking(as, undefined, strangersKey)).toBe(401);
    const once = (payload: Record<string, unknown>) => (payload['jti'] = 'once');
    expect([await asking(as, once), await asking(as, once)]).toEqual([200, 401]);
    const keyless = await started({
      introspectionClient: { clientId: 'rs', authMethods: ['private_key_jwt'] },
    });
    expect(await asking(keyless)).toBe(401);
  });

  it('is rejected with another type of assertion or another client_id', async () => {
    const as = await started({ introspectionClient: JWT_CLIENT });
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const assertion = (): Promise<string> =>
      as.issueToken({
        key: clientKey,
        claims: { iss: 'rs', sub: 'rs', aud: as.issuer },
      });
    const form = { token: 'x', client_assertion_type: type };
    const status = async (more: Record<string, string>): Promise<number> =>
      (await post(as, { ...form, client_assertion: await assertion(), ...more })).status;
    expect(await status({})).toBe(200);
    expect(await status({ client_id: 'rs' })).toBe(200);
    expect(await status({ client_id: 'rs2' })).toBe(401);
    expect(await status({ client_assertion_type: `${type}x` })).toBe(401);
    expect(await status({ client_assertion: 'no jwt' })).toBe(401);
  });

  it('fails loudly when the registered key is none', async () => {
    const publicJwk = { ...clientKey.publicJwk, x: 'AA' };
    const as = await started({ introspectionClient: { clientId: 'rs', publicJwk } });
    expect(await asking(as)).toBe(500);
  });
});

describe('a signed introspection answer', () => {
  const server = (as: TestAuthorizationServer) => as.metadata() as unknown as oauth.AuthorizationServer;

  it('is given to who asks for it, and verified by a client', async () => {
    const as = await started();
    const token = await as.issueToken({ scopes: ['a'] });
    const response = await ask(as, token, undefined, { jwt: true });
    expect(response.headers.get('content-type')).toBe(JWT_ANSWER);
    const jwt = await response.clone().text();
    const client = { client_id: CLIENT.clientId, introspection_signed_response_alg: 'ES256' };
    const description = await oauth.processIntrospectionResponse(server(as), client, response);
    expect(description).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(token) });
    await oauth.validateApplicationLevelSignature(server(as), response, INSECURE);
    expect(decodeProtectedHeader(jwt)).toEqual({
      alg: 'ES256',
      typ: 'token-introspection+jwt',
      kid: key.kid,
    });
    expect(decodeJwt(jwt)).toEqual({
      iss: as.issuer,
      aud: CLIENT.clientId,
      iat: expect.any(Number) as number,
      token_introspection: description,
    });
  });

  it('fails a client whose server has signed with a key that it does not publish', async () => {
    const as = await started();
    const response = await ask(as, 'x', undefined, { jwt: true });
    const client = { client_id: CLIENT.clientId, introspection_signed_response_alg: 'ES256' };
    await oauth.processIntrospectionResponse(server(as), client, response);
    as.serve('/jwks', { keys: [strangersKey.publicJwk] });
    await expect(
      oauth.validateApplicationLevelSignature(server(as), response, INSECURE),
    ).rejects.toMatchObject({ code: 'OAUTH_KEY_SELECTION_FAILED' });
  });

  it.each([
    ['jwt', false, JWT_ANSWER],
    ['jwt', true, JWT_ANSWER],
    ['accept', false, 'application/json'],
    ['accept', true, JWT_ANSWER],
    ['json', true, 'application/json'],
  ] as const)('with the option %s and asked for: %s, is %s', async (introspectionResponse, jwt, type) => {
    const as = await started({ introspectionResponse });
    const response = await ask(as, 'x', undefined, { jwt });
    expect(response.headers.get('content-type')).toBe(type);
  });

  it('is not given when nothing is said of what is accepted', async () => {
    const { headers } = await post(await started(), { token: 'x', ...SECRET_POST });
    expect(headers['content-type']).toBe('application/json');
  });
});

describe('revocation', () => {
  async function revoking(as: TestAuthorizationServer, token: string, secret: string): Promise<Response> {
    const metadata = as.metadata() as unknown as oauth.AuthorizationServer;
    const auth = oauth.ClientSecretBasic(secret);
    return oauth.revocationRequest(metadata, { client_id: CLIENT.clientId }, auth, token, INSECURE);
  }

  verifies('F119', 'makes the token inactive, and no other', async () => {
    const as = await started();
    const [a, b, c] = [as.issueOpaqueToken(), await as.issueToken(), as.issueOpaqueToken()];
    await oauth.processRevocationResponse(await revoking(as, a, SECRET));
    as.revoke(b);
    const active = await Promise.all([a, b, c].map(async (token) => (await described(as, token)).active));
    expect(active).toEqual([false, false, true]);
    expect(as.requestCount('revocation')).toBe(1);
  });

  it('is glad of a token that it does not know', async () => {
    const response = await revoking(await started(), 'unknown', SECRET);
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: '' });
  });

  it('needs client authentication', async () => {
    const as = await started();
    const token = as.issueOpaqueToken();
    expect((await revoking(as, token, `${SECRET}x`)).status).toBe(401);
    expect((await post(as, { token }, {}, '/revoke')).status).toBe(401);
    expect((await described(as, token)).active).toBe(true);
  });
});
