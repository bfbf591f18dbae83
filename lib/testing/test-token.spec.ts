import { generateKeyPairSync } from 'node:crypto';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { send } from '../../test/fixtures/http.js';
import { closeAfterTest } from '../../test/fixtures/opened.js';
import { SIGNATURE_ALGORITHMS } from '../options/algorithms.js';
import { TestAuthorizationServer } from './test-authorization-server.js';
import { makeTestKey } from './test-keys.js';

const es256 = await makeTestKey('ES256');
const AUDIENCE = 'https://api.example.com/notes';

async function fresh(): Promise<TestAuthorizationServer> {
  return closeAfterTest(await TestAuthorizationServer.start({ keys: [es256] }));
}

/** Verifies as an independent resource server would, that has not asked for keys before. */
function verify(as: TestAuthorizationServer, token: string) {
  return jwtVerify(token, createRemoteJWKSet(new URL(as.jwksUri)), { issuer: as.issuer });
}

async function publishedKeys(as: TestAuthorizationServer): Promise<JSONWebKeySet['keys']> {
  return ((await send(as.origin, '/jwks')).json as JSONWebKeySet).keys;
}

describe('issueToken', () => {
  const now = new Date(1_800_000_000_500);
  let as: TestAuthorizationServer;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start({ keys: [es256], now: () => now });
  });

  afterAll(() => as.close());

  it('makes an access token of RFC 9068 by default, good for five minutes', async () => {
    const token = await as.issueToken();
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: es256.kid });
    expect(decodeJwt(token)).toEqual({
      iss: as.issuer,
      sub: 'user-1',
      client_id: 'client-1',
      iat: 1_800_000_000,
      exp: 1_800_000_300,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(decodeJwt(await as.issueToken()).jti).not.toBe(decodeJwt(token).jti);
  });

  verifies('F121', 'says what it is told', async () => {
    const token = await as.issueToken({
      sub: 'ada',
      scopes: ['notes:read', 'notes:write'],
      audience: [AUDIENCE, 'other'],
      clientId: 'editor',
      issuedAt: new Date(1_700_000_000_000),
      expiresInSeconds: 10,
      claims: { tenant: 7, exp: 'soon' },
    });
    expect(decodeJwt(token)).toMatchObject({
      sub: 'ada',
      scope: 'notes:read notes:write',
      aud: [AUDIENCE, 'other'],
      client_id: 'editor',
      iat: 1_700_000_000,
      exp: 'soon',
      tenant: 7,
    });
    const plain = await as.issueToken({ audience: AUDIENCE, scopes: [], expiresInSeconds: -1 });
    expect(decodeJwt(plain)).toMatchObject({ aud: AUDIENCE, scope: '', exp: 1_799_999_999 });
  });

  it('takes away claims and header parameters that are undefined', async () => {
    const token = await as.issueToken({
      claims: { sub: undefined, exp: undefined },
      header: { typ: undefined, kid: undefined },
    });
    expect(Object.keys(decodeJwt(token)).sort()).toEqual(['client_id', 'iat', 'iss', 'jti']);
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256' });
  });

  it('writes the header it is told, true or not', async () => {
    const token = await as.issueToken({
      typ: 'JWT',
      kid: 'other',
      header: { alg: 'RS256', crit: ['x'], x: 1 },
    });
    expect(decodeProtectedHeader(token)).toEqual({
      alg: 'RS256',
      typ: 'JWT',
      kid: 'other',
      crit: ['x'],
      x: 1,
    });
  });

  it.each(['HS256', 'RSA-OAEP', 'es256'])('has no key for %s', async (alg) => {
    const known = SIGNATURE_ALGORITHMS.join(', ');
    await expect(as.issueToken({ alg })).rejects.toThrow(
      `No key can be made for "${alg}", only for ${known}`,
    );
    await expect(as.rotateKey(alg)).rejects.toThrow('No key can be made');
    expect((await publishedKeys(as)).length).toBe(1);
  });
});

describe('a token', () => {
  let as: TestAuthorizationServer;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
  });

  afterAll(() => as.close());

  it.each(SIGNATURE_ALGORITHMS)(
    'signed with %s is verified by the key made for it, and rejected with one bit changed',
    async (alg) => {
      const token = await as.issueToken({ alg });
      const { protectedHeader, key } = await verify(as, token);
      expect(protectedHeader).toMatchObject({ alg, kid: expect.any(String) as string });
      expect(key).toMatchObject({ type: 'public' });
      const [header, payload, signature = ''] = token.split('.');
      const bytes = Buffer.from(signature, 'base64url');
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      const changed = [header, payload, bytes.toString('base64url')].join('.');
      await expect(verify(as, changed)).rejects.toMatchObject({
        code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      });
    },
  );

  it('has RS256 unless told otherwise, and one key per algorithm', async () => {
    const tokens = await Promise.all([as.issueToken(), as.issueToken(), as.issueToken({ alg: 'ES384' })]);
    const [a, b, c] = tokens.map((token) => decodeProtectedHeader(token));
    expect(a).toMatchObject({ alg: 'RS256' });
    expect(a?.kid).toBe(b?.kid);
    expect(c?.kid).not.toBe(a?.kid);
    const algorithms = (await publishedKeys(as)).map(({ alg }) => alg);
    expect(algorithms.length).toBe(new Set(algorithms).size);
  });

  it('of a given key is verified by that key only, published or not', async () => {
    const stranger = await makeTestKey('PS256', 'stranger');
    const token = await as.issueToken({ key: stranger });
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'PS256', kid: 'stranger' });
    await jwtVerify(token, createLocalJWKSet({ keys: [stranger.publicJwk] }));
    await expect(verify(as, token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    const other = await as.issueToken({ key: stranger, alg: 'PS512' });
    await jwtVerify(other, await importJWK({ ...stranger.publicJwk, alg: 'PS512' }));
    const lie = await as.issueToken({ key: stranger, header: { alg: 'RS256' } });
    await expect(jwtVerify(lie, await importJWK({ ...stranger.publicJwk, alg: 'RS256' }))).rejects.toThrow();
  });

  it('may be unsigned, or signed with a secret, as attackers do', async () => {
    expect(await as.issueToken({ alg: 'none' })).toMatch(/^[\w-]+\.[\w-]+\.$/);
    const secret = Buffer.from('the public key of the server, in PEM form, say');
    const token = await as.issueToken({ alg: 'HS256', key: secret });
    await jwtVerify(token, secret);
    await expect(jwtVerify(token, Buffer.from(`${secret.toString()}.`))).rejects.toThrow('signature');
    expect(decodeProtectedHeader(await as.issueToken({ key: secret }))).toMatchObject({ alg: 'RS256' });
  });

  it('may be signed with a weak key, which a verifier rejects', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    as.publishRawJwks({ ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' });
    const token = await as.issueToken({ alg: 'RS256', key: privateKey, kid: 'weak' });
    await expect(verify(as, token)).rejects.toThrow(/2048/);
    as.withdrawRawJwks();
    await expect(verify(as, token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });
});

describe('the keys', () => {
  const kids = async (as: TestAuthorizationServer): Promise<unknown[]> =>
    (await publishedKeys(as)).map(({ kid }) => kid);

  it('are published before any token is signed, without their private part', async () => {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    const [key, ...others] = await publishedKeys(as);
    expect(others).toEqual([]);
    expect(Object.keys(key ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    expect(key).toMatchObject({ alg: 'RS256', use: 'sig' });
    expect(decodeProtectedHeader(await as.issueToken()).kid).toBe(key?.kid);
  });

  it('rotate: the new one signs, the old one is published until keys are retired', async () => {
    const as = await fresh();
    const old = await as.issueToken();
    const key = await as.rotateKey();
    const young = await as.issueToken();
    expect(decodeProtectedHeader(young).kid).toBe(key.kid);
    expect(await kids(as)).toEqual([es256.kid, key.kid]);
    await verify(as, old);
    await verify(as, young);
    await as.retireKeys();
    expect(await kids(as)).toEqual([key.kid]);
    await verify(as, young);
    await expect(verify(as, old)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  it('are added without signing, unless no other has the algorithm', async () => {
    const as = await fresh();
    const second = await as.addKey();
    const first512 = await as.addKey('ES512');
    expect(await kids(as)).toEqual([es256.kid, second.kid, first512.kid]);
    expect(decodeProtectedHeader(await as.issueToken()).kid).toBe(es256.kid);
    expect(decodeProtectedHeader(await as.issueToken({ alg: 'ES512' })).kid).toBe(first512.kid);
    await verify(as, await as.issueToken({ key: second }));
  });

  it('can be shared, and the first of an algorithm signs', async () => {
    const spare = await makeTestKey('ES256', 'spare');
    const options = { keys: [es256, spare] };
    const [a, b] = await Promise.all([
      TestAuthorizationServer.start(options),
      TestAuthorizationServer.start(options),
    ]);
    closeAfterTest(a);
    closeAfterTest(b);
    expect(await kids(a)).toEqual([es256.kid, 'spare']);
    expect(await publishedKeys(b)).toEqual(await publishedKeys(a));
    expect(decodeProtectedHeader(await b.issueToken()).kid).toBe(es256.kid);
  });

  it('stand behind raw members, which are published as they are', async () => {
    const as = await fresh();
    const raw = [
      null,
      'text',
      { kty: 'oct', k: 'c2VjcmV0', kid: 'oct' },
      { ...es256.privateKey.export({ format: 'jwk' }), kid: 'private' },
    ];
    as.publishRawJwks(...raw);
    as.publishRawJwks(7);
    expect(await publishedKeys(as)).toEqual([...raw, 7, es256.publicJwk]);
    expect(raw[3]).toHaveProperty('d');
    as.withdrawRawJwks();
    expect(await publishedKeys(as)).toEqual([es256.publicJwk]);
  });
});
