import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import * as entry from 'nestjs-mcp-auth';
import type { JWK } from 'jose';
import { makeTestKey, TestAuthorizationServer, type TestTokenOptions } from 'nestjs-mcp-auth/testing';
import { beforeEach, describe, expect } from 'vitest';
import { startFailure } from '../../fixtures/app.js';
import {
  type AttackedApp,
  rawJws,
  type Scene,
  startAttacked,
  startCanary,
} from '../../fixtures/attacked-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

// Both servers call their keys the same.
const [key, otherKey, ecKey, attacker] = await Promise.all([
  makeTestKey('RS256', 'k1'),
  makeTestKey('RS256', 'k1'),
  makeTestKey('ES256', 'ec'),
  makeTestKey('RS256', 'attacker'),
]);
const now = (): number => Math.floor(Date.now() / 1000);
const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

let as: TestAuthorizationServer;
let other: TestAuthorizationServer;

beforeEach(async () => {
  as = closeAfterTest(await TestAuthorizationServer.start({ keys: [key, ecKey] }));
  other = closeAfterTest(await TestAuthorizationServer.start({ keys: [otherKey], issuerPath: '/tenant1' }));
});

const attacked = (scene: Partial<Scene> = {}): Promise<AttackedApp> => startAttacked({ as, other, ...scene });

async function rejectsAll(app: AttackedApp, all: readonly TestTokenOptions[]): Promise<void> {
  for (const options of all) await app.rejects(await app.mint(options));
}

async function acceptsAll(app: AttackedApp, all: readonly TestTokenOptions[]): Promise<void> {
  for (const options of all) await app.accepts(await app.mint(options));
}

describe('tokens for somebody else', () => {
  verifies('H02', 'are rejected, also after they were used at their own resource', async () => {
    const app = await attacked();
    await acceptsAll(app, [{}, { audience: [ADMIN, NOTES] }]);
    await rejectsAll(app, [
      { audience: ADMIN },
      { claims: { aud: undefined } },
      { audience: 'client-1' },
      { audience: as.issuer },
      { audience: [] },
    ]);
    const used = await app.mint({ audience: ADMIN });
    await app.accepts(used, '/admin');
    await app.rejects(used, '/notes');
    await app.accepts(used, '/admin');
  });

  verifies('H03', 'or for another purpose are rejected, though signed by the right server', async () => {
    const app = await attacked();
    await rejectsAll(app, [
      { typ: 'JWT', claims: { nonce: 'n', at_hash: 'h', auth_time: now() } },
      { typ: 'oauth-id-jag+jwt', claims: { resource: NOTES } },
      { typ: 'token-introspection+jwt', claims: { token_introspection: { active: true } } },
      { typ: 'dpop+jwt', header: { jwk: attacker.publicJwk }, claims: { htm: 'GET', htu: NOTES } },
      { typ: 'JWT', claims: { htm: 'GET', htu: NOTES } },
      { typ: 'logout+jwt', claims: { events: {}, sid: 's' } },
      { typ: 'JWT', claims: { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } } },
      { typ: 'JWT', claims: { typ: 'Refresh' } },
    ]);
    await acceptsAll(app, [
      { typ: 'JWT', claims: { auth_time: now(), sid: 's', resource: NOTES, typ: 'Bearer' } },
      { typ: 'application/at+jwt' },
    ]);
  });

  verifies('EXT-03', 'such as an ID-JAG are rejected even where its issuer is trusted', async () => {
    const app = await attacked();
    for (const audience of [as.issuer, ADMIN]) {
      const idJag = {
        typ: 'oauth-id-jag+jwt',
        audience,
        claims: { resource: ADMIN, client_id: 'c1' },
      };
      await app.rejects(await other.issueToken(idJag), '/admin');
      await app.rejects(await app.mint({ ...idJag, claims: { resource: NOTES } }));
    }
    await app.accepts(await other.issueToken({ audience: ADMIN, claims: { resource: ADMIN } }), '/admin');
  });

  verifies(
    'EXT-04',
    'of an identity provider that is not listed are rejected without a request to it',
    async () => {
      const app = await attacked();
      other.resetRequests();
      const idp = { audience: NOTES, scopes: ['notes:read'] };
      await app.rejects(await other.issueToken({ ...idp, typ: 'JWT', claims: { nonce: 'n' } }));
      await app.rejects(await other.issueToken(idp));
      expect(other.requestCount()).toBe(0);
      await app.accepts(await other.issueToken({ audience: ADMIN }), '/admin');
    },
  );
});

describe('forged signatures', () => {
  verifies('H04', 'that are missing, or of the algorithm none, are rejected', async () => {
    const app = await attacked();
    const good = await app.mint();
    const [header = '', payload = '', signature = ''] = good.split('.');
    await app.accepts(good);
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'null']) {
      const unsigned = encode({ alg, typ: 'at+jwt' });
      await app.rejects(`${unsigned}.${payload}.`);
      await app.rejects(`${unsigned}.${payload}.${signature}`);
      await app.rejects(await app.mint({ alg: 'none', header: { alg, kid: 'k1' } }));
    }
    await app.rejects(`${header}.${payload}.`);
    await app.rejects(`${header}.${payload}`);
    await app.rejects(`${header}.${payload}.${signature.slice(0, -4)}`);
    await app.rejects(`${header}.${payload}.${signature}.`);
  });

  verifies('H05', 'with the public key for a secret are rejected', async () => {
    const app = await attacked();
    const publicKey = createPublicKey({ key: key.publicJwk, format: 'jwk' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    for (const secret of [
      pem,
      pem.trim(),
      pem.replaceAll('\n', '\r\n'),
      publicKey.export({ type: 'pkcs1', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(key.publicJwk),
      key.publicJwk.n ?? '',
      Buffer.from(key.publicJwk.n ?? '', 'base64url'),
    ]) {
      const forged = { key: Buffer.from(secret), kid: 'k1', scopes: ['notes:read', 'notes:admin'] };
      await rejectsAll(app, [
        { ...forged, alg: 'HS256' },
        { ...forged, alg: 'HS256', header: { alg: 'RS256' } },
      ]);
    }
    await acceptsAll(app, [{ scopes: ['notes:read', 'notes:admin'], kid: 'k1' }]);
  });

  verifies(
    'H06',
    'with a key that they bring along are rejected, and that key is not looked at',
    async () => {
      const app = await attacked();
      const { origin } = app.canary;
      for (const header of [
        { jwk: attacker.publicJwk },
        { jwk: attacker.publicJwk, kid: attacker.kid },
        { x5c: ['MIIBkDCCATagAwIBAgIUblhCPFf6oBKz'] },
        { jku: `${origin}/jwks` },
        { jku: `${origin}/jwks`, kid: attacker.kid },
        { x5u: `${origin}/certificate`, x5t: 'AAAA' },
      ]) {
        await rejectsAll(app, [{ key: attacker, kid: 'k1', header }]);
        await acceptsAll(app, [{ header: { ...header, kid: 'k1' } }]);
      }
    },
  );

  verifies('JWT-10', 'whose kid is no key id of the server are rejected, and it leads nowhere', async () => {
    const app = await attacked();
    const { origin } = app.canary;
    for (const kid of [
      ...['../../etc/passwd', `${origin}/k`, `file:///etc/passwd`, "' OR 1=1", 'a'.repeat(4096)],
      ...[7, '__proto__', 'constructor', 'k1\u0000', 'K1', '', null, {}, ['k1']],
    ]) {
      await rejectsAll(app, [{ header: { kid } }, { key: attacker, header: { kid } }]);
    }
    await acceptsAll(app, [{ header: { kid: 'k1' } }, { header: { kid: undefined } }]);
  });

  verifies('H07', 'by a server for tokens of another are rejected', async () => {
    const app = await attacked();
    const at = { audience: ADMIN };
    await app.accepts(await as.issueToken(at), '/admin');
    await app.accepts(await other.issueToken(at), '/admin');
    await app.rejects(await other.issueToken({ ...at, claims: { iss: as.issuer } }), '/admin');
    await app.rejects(await as.issueToken({ ...at, claims: { iss: other.issuer } }), '/admin');
    const port = new URL(as.origin).port;
    for (const iss of [
      ...[other.issuer, app.canary.origin, `${as.issuer}/`, as.issuer.toUpperCase(), `${as.issuer}#`],
      ...[`http://localhost:${port}`, `http://①27.0.0.1:${port}`, `http://127.1:${port}`, ` ${as.issuer}`],
      ...[[as.issuer], { [as.issuer]: 1 }, null, undefined, '__proto__', `${as.issuer}\u0000`],
    ]) {
      await rejectsAll(app, [{ claims: { iss } }]);
    }
    expect(claimsOf(await app.mint())['iss']).toBe(as.issuer);
  });
});

describe('headers of tokens', () => {
  verifies('JWT-04', 'that do not fit the key are rejected', async () => {
    const publish = (kid: string, members: object): JWK => ({
      ...{ kty: 'RSA', n: otherKey.publicJwk.n ?? '', e: 'AQAB', kid },
      ...members,
    });
    as.publishRawJwks(
      publish('encrypts', { use: 'enc' }),
      publish('wraps', { key_ops: ['wrapKey'] }),
      publish('signs', { key_ops: ['sign'] }),
      publish('pss', { alg: 'PS256' }),
      publish('plain', {}),
      publish('verifies', { use: 'sig', key_ops: ['verify'], alg: 'RS256' }),
    );
    const app = await attacked();
    const by = (kid: string): TestTokenOptions => ({ key: otherKey, kid });
    await rejectsAll(app, [by('ec'), by('encrypts'), by('wraps'), by('signs'), by('pss')]);
    await rejectsAll(app, [
      { alg: 'ES256', header: { kid: 'k1' } },
      { alg: 'ES256', header: { alg: 'ES384' } },
    ]);
    await acceptsAll(app, [by('verifies'), by('plain'), { ...by('pss'), key: otherKey, alg: 'PS256' }]);
    await acceptsAll(app, [{ alg: 'ES256' }, { alg: 'RS256' }]);
  });

  verifies('JWT-06', 'with critical extensions are rejected', async () => {
    const app = await attacked();
    await rejectsAll(
      app,
      [['foo'], [], ['b64'], 'foo', null, {}, [''], ['alg'], ['exp'], [7], ['__proto__']].map((crit) => ({
        header: { crit },
      })),
    );
    await rejectsAll(app, [
      { header: { crit: ['foo'], foo: 1 } },
      { header: { crit: ['b64'], b64: false } },
      { header: { crit: ['b64'], b64: true } },
      { header: { b64: false } },
    ]);
    // What may be ignored is ignored.
    await acceptsAll(app, [{ header: { foo: 1 } }, { header: { b64: true } }]);
  });
});

describe('payloads of tokens', () => {
  const header = JSON.stringify({ alg: 'RS256', typ: 'at+jwt', kid: 'k1' });

  verifies('JWT-30', 'that name a member twice count by the last one', async () => {
    const app = await attacked();
    const twice = async (first: string, last: string): Promise<string> => {
      const text = JSON.stringify({ ...claimsOf(await app.mint()), aud: undefined }).slice(1);
      return rawJws(header, `{"aud":${first},${text.slice(0, -1)},"aud":${last}}`, key);
    };
    const [notes, admin] = [NOTES, ADMIN].map((resource) => JSON.stringify(resource)) as [string, string];
    await app.rejects(await twice(notes, admin));
    await app.rejects(await twice(notes, 'null'));
    await app.accepts(await twice(admin, notes));
    const payload = JSON.stringify(claimsOf(await app.mint()));
    await app.rejects(rawJws('{"alg":"RS256","kid":"k1","alg":"none"}', payload, key));
    await app.rejects(rawJws('{"typ":"at+jwt","alg":"RS256","typ":"dpop+jwt"}', payload, key));
  });

  verifies('JWT-31', 'change no object but their own', async () => {
    const app = await attacked();
    const dangerous = { ['__proto__']: { admin: true }, constructor: { prototype: { admin: true } } };
    const { json } = await app.accepts(await app.mint({ claims: dangerous }));
    expect(json).toMatchObject({ admin: 'no', copied: 'plain', subject: 'user-1' });
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    // Claims in place of the token's own do not come by the prototype.
    const { exp, aud } = claimsOf(await app.mint());
    const inherited = { iss: as.issuer, sub: 'u1', ['__proto__']: { exp, aud, scope: 'notes:read' } };
    await app.rejects(rawJws(header, JSON.stringify(inherited), key));
    await app.rejects(rawJws('{"kid":"k1","__proto__":{"alg":"RS256"}}', JSON.stringify({ exp, aud }), key));
  });

  verifies('CLM-08', 'that name an actor keep their subject', async () => {
    const app = await attacked();
    const act = { sub: 'agent', act: { sub: 'another' } };
    const { json } = await app.accepts(await app.mint({ sub: 'u1', claims: { act } }));
    expect(json).toMatchObject({ subject: 'u1', clientId: 'client-1', claims: { act } });
    // With nobody but an actor there is nobody.
    await rejectsAll(app, [{ claims: { act, sub: undefined, client_id: undefined } }]);
  });

  verifies('EXT-01', 'of a client on its own account are as good as any', async () => {
    const app = await attacked();
    const { json } = await app.accepts(await app.mint({ sub: 'c1', clientId: 'c1' }));
    expect(json).toMatchObject({ subject: 'c1', clientId: 'c1' });
    await acceptsAll(app, [{ clientId: 'c1', claims: { sub: undefined } }]);
    await app.answers(
      403,
      `Bearer error="insufficient_scope", scope="notes:read", resource_metadata="${NOTES_METADATA}", error_description="The access token does not grant what this operation needs"`,
      await app.mint({ sub: 'c1', clientId: 'c1', scopes: [] }),
    );
    await rejectsAll(app, [{ sub: 'c1', clientId: 'c1', audience: ADMIN }]);
  });

  verifies('H16', 'with times that are none, or not now, are rejected', async () => {
    const at = now();
    const fixed = (): Date => new Date(at * 1000);
    const app = await attacked({ more: { now: fixed, clockToleranceSeconds: 5 } });
    const claims = (all: readonly Record<string, unknown>[]): TestTokenOptions[] =>
      all.map((each) => ({ issuedAt: fixed(), claims: each }));
    await rejectsAll(
      app,
      claims([
        ...[undefined, '9999999999', 1e308, -1, 0, null, true, [at + 300], {}].map((exp) => ({ exp })),
        ...[at - 5, at - 6].map((exp) => ({ exp })),
        ...[at + 6, at + 3600, '0', null, -1].map((nbf) => ({ nbf })),
        ...[at + 6, at + 3600, '0', null, {}].map((iat) => ({ iat })),
      ]),
    );
    await app.rejects(rawJws(header, `{"iss":"${as.issuer}","aud":"${NOTES}","sub":"u","exp":1e999}`, key));
    await acceptsAll(
      app,
      claims([{}, { exp: at - 4 }, { exp: at + 0.5 }, { nbf: at + 5 }, { iat: at + 5 }, { iat: undefined }]),
    );
  });

  verifies(
    'H19',
    'that are bound to a key or a certificate are rejected as plain bearer tokens',
    async () => {
      const app = await attacked();
      const confirmations = [{ jkt: 'thumb' }, { 'x5t#S256': 'hash' }, { foo: 1 }, {}, 'x', null, [], false];
      await rejectsAll(
        app,
        confirmations.map((cnf) => ({ claims: { cnf } })),
      );
      await acceptsAll(app, [{ claims: { jkt: 'thumb', CNF: {} } }]);
      const bound = await app.mint({ claims: { cnf: { jkt: 'thumb' } } });
      const proof = await app.mint({ key: attacker, typ: 'dpop+jwt', claims: { htm: 'GET', htu: NOTES } });
      const asDpop = await app.send('/notes', { headers: { authorization: `DPoP ${bound}`, dpop: proof } });
      expect([asDpop.status, asDpop.headers['www-authenticate']]).toEqual([
        401,
        `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}"`,
      ]);
      const asBearer = await app.send('/notes', {
        headers: { authorization: `Bearer ${bound}`, dpop: proof },
      });
      expect(asBearer.status).toBe(401);
    },
  );

  verifies(
    'POP-07',
    'that are bound to a certificate are rejected, whatever a header says of one',
    async () => {
      const app = await attacked();
      const asked = async (options: TestTokenOptions): Promise<unknown> => {
        const headers = {
          authorization: `Bearer ${await app.mint(options)}`,
          'x-client-cert': 'certificate',
          'client-cert': ':Y2VydGlmaWNhdGU=:',
          'x-forwarded-client-cert': 'Hash=bf1a2b',
          'x-ssl-client-verify': 'SUCCESS',
        };
        const { status, headers: answered } = await app.send('/notes', { headers });
        return [status, answered['www-authenticate']];
      };
      expect(await asked({ claims: { cnf: { 'x5t#S256': 'bf1a2b' } } })).toEqual([
        401,
        `Bearer error="invalid_token", scope="notes:read", resource_metadata="${NOTES_METADATA}", ` +
          'error_description="The access token is invalid or expired"',
      ]);
      expect(await asked({ claims: { 'x5t#S256': 'bf1a2b' } })).toEqual([200, undefined]);
    },
  );
});

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('other spellings of a token', () => {
  verifies(['H20', 'WAY-33'], 'are rejected, before it is revoked and after', async () => {
    const revoked = new Set<string>();
    const isRevoked = ({ jti = '' }: { jti: string | undefined }): boolean => revoked.has(jti);
    const app = await attacked({ more: { isRevoked } });
    const token = await app.mint({ claims: { jti: 'to-be-revoked' } });
    // The last character of 256 bytes has four bits to spare.
    const spellings = Array.from({ length: 16 }, (_, bits) => {
      const last = BASE64URL.indexOf(token.at(-1) ?? '') ^ bits;
      return `${token.slice(0, -1)}${BASE64URL.charAt(last)}`;
    }).flatMap((each) => [each, `${each}=`, `${each}==`, `${each}===`]);
    const before: number[] = [];
    // What comes twice is remembered.
    for (const spelling of [...spellings, ...spellings]) before.push((await app.ask(spelling)).status);
    // The token itself, and no other text that a lenient decoder takes for it.
    expect(before.map((status, at) => [at % spellings.length, status])).toEqual(
      before.map((_, at) => [at % spellings.length, at % spellings.length === 0 ? 200 : 401]),
    );
    revoked.add('to-be-revoked');
    for (const spelling of spellings) await app.rejects(spelling);
    await acceptsAll(app, [{ claims: { jti: 'another' } }]);
  });
});

describe('keys under attack', () => {
  const unknownKids = async (app: AttackedApp, count: number): Promise<string[]> => {
    const [, payload, signature] = (await app.mint()).split('.');
    return Array.from(
      { length: count },
      () => `${encode({ alg: 'RS256', kid: crypto.randomUUID() })}.${payload}.${signature}`,
    );
  };
  const tally = (statuses: readonly number[]): Record<string, number> =>
    Object.fromEntries(
      [...new Set(statuses)].map((status) => [status, statuses.filter((each) => each === status).length]),
    );

  verifies('H14', 'cost one fetch per window, and good tokens pass meanwhile', async () => {
    const server = { remoteJwkSet: { timeoutMs: 2000, cooldownSeconds: 30, cacheMaxAgeSeconds: 3600 } };
    const app = await attacked({ server, more: { tokenCache: false } });
    const good = await app.mint();
    await app.accepts(good);
    as.resetRequests();
    const flood = async (count: number): Promise<Record<string, number>> =>
      tally(
        await Promise.all(
          (await unknownKids(app, count)).map(async (token) => (await app.ask(token)).status),
        ),
      );
    expect(await flood(500)).toEqual({ 401: 500 });
    expect(as.requestCount('jwks')).toBe(0);
    app.clock.forward(30);
    expect(await flood(500)).toEqual({ 401: 500 });
    expect(as.requestCount('jwks')).toBe(1);
    for (const fault of [{ status: 500 }, 'hang', 'reset'] as const) {
      as.fail('jwks', fault);
      as.resetRequests();
      app.clock.forward(31);
      expect(await flood(50)).toEqual({ 503: 50 });
      expect(await flood(50)).toEqual({ 503: 50 });
      expect(as.requestCount('jwks')).toBe(1);
      await app.accepts(good);
      app.clock.forward(600);
      as.recover('jwks');
      expect(await flood(1)).toEqual({ 401: 1 });
    }
    expect(app.canary.hits).toBe(0);
  });

  verifies('H15', 'that are too large, too slow or elsewhere are an outage, and then forgotten', async () => {
    const canary = await startCanary();
    const server = { remoteJwkSet: { timeoutMs: 300 } };
    for (const fault of [
      ...[{ hugeBytes: 64 * 1024 * 1024 }, 'drip' as const, { redirectTo: `${canary.origin}/jwks` }],
      ...[{ redirectTo: 'http://169.254.169.254/latest/meta-data' }, { json: {} }, { json: [] }],
      ...[{ json: { keys: {} } }, { body: '{"keys":[' }, { body: '' }, { json: null }],
    ]) {
      as.fail('jwks', fault);
      const app = await attacked({ server, staysGood: false });
      const good = await app.mint();
      const before = process.memoryUsage.rss();
      const answer = await app.answers(503, undefined, good);
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
      expect(process.memoryUsage.rss() - before).toBeLessThan(50 * 1024 * 1024);
      as.recover('jwks');
      app.clock.forward(60);
      await app.accepts(good);
    }
    expect(canary.hits).toBe(0);
  });

  verifies('H15', 'that nobody should publish verify nothing, and spoil no good key', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwk = (from: KeyObject): JWK => from.export({ format: 'jwk' });
    const secret = Buffer.from('a secret of thirty-two characters');
    as.publishRawJwks(
      ...[null, 7, 'k', [], {}, { kty: 'RSA', kid: 'k1x' }, { kty: 'RSA', kid: 'broken', n: '!', e: {} }],
      { ...jwk(weak.publicKey), kid: 'weak' },
      { kty: 'oct', k: secret.toString('base64url'), kid: 'secret' },
      { ...jwk(otherKey.privateKey), kid: 'private' },
      JSON.parse('{"__proto__":{"kty":"RSA"},"kid":"proto"}'),
    );
    const app = await attacked();
    await rejectsAll(app, [
      { key: weak.privateKey, alg: 'RS256', kid: 'weak' },
      { key: secret, alg: 'HS256', kid: 'secret' },
      { key: otherKey, kid: 'private' },
      { kid: 'proto' },
      { kid: 'broken' },
      { kid: 'k1x' },
    ]);
    await acceptsAll(app, [{}]);
    expect(({} as { kty?: unknown }).kty).toBeUndefined();
  });

  verifies('H15', 'with metadata to match fail startup', async () => {
    const canary = await startCanary();
    const options = {
      resources: { resource: NOTES, authorizationServers: [as.issuer] },
      discoveryTimeoutMs: 1000,
    };
    for (const fault of [
      ...[{ hugeBytes: 64 * 1024 * 1024 }, 'drip' as const, { redirectTo: `${canary.origin}/metadata` }],
      ...[{ redirectTo: 'http://169.254.169.254/' }, { json: {} }],
      { json: as.metadata({ issuer: other.issuer }) },
      { json: as.metadata({ jwks_uri: 'http://169.254.169.254/jwks' }) },
      { body: `{"__proto__":${JSON.stringify(as.metadata())}}` },
    ]) {
      as.fail('metadata', fault);
      const before = process.memoryUsage.rss();
      expect(await startFailure(options)).toBeInstanceOf(entry.BootstrapDiscoveryError);
      expect(process.memoryUsage.rss() - before).toBeLessThan(50 * 1024 * 1024);
      as.recover('metadata');
    }
    await (await attacked()).accepts(await (await attacked()).mint());
    expect(canary.hits).toBe(0);
  });
});

describe('answers of introspection', () => {
  const introspecting = (): Promise<AttackedApp> => {
    const { clientId, clientSecret = '' } = as.introspectionClient;
    return attacked({
      server: { mode: 'introspection', introspection: { clientId, clientSecret, timeoutMs: 300 } },
      staysGood: false,
    });
  };
  const right = (): Record<string, unknown> => ({
    ...{ active: true, iss: as.issuer, aud: NOTES, sub: 'u1', client_id: 'c1', scope: 'notes:read' },
    exp: now() + 300,
  });

  verifies('H28', 'count when they say that this token is good for this resource', async () => {
    const app = await introspecting();
    const token = await app.mint();
    const wrong: readonly unknown[] = [
      ...['true', 1, null, {}, [true], undefined].map((active) => ({ ...right(), active })),
      ...[undefined, ADMIN, [], 'c1'].map((aud) => ({ ...right(), aud })),
      ...[{ iss: other.issuer }, { exp: now() - 60 }, { exp: '9999999999' }, { token_type: 'DPoP' }].map(
        (change) => ({ ...right(), ...change }),
      ),
      ...[{}, [], null, [right()], { ['__proto__']: right() }],
    ];
    for (const json of wrong) {
      as.fail('introspection', { json });
      await app.rejects(token);
    }
    for (const json of [right(), { ...right(), token_type: 'bearer' }]) {
      as.fail('introspection', { json });
      await app.accepts(token);
    }
    as.recover('introspection');
    await app.accepts(token);
  });

  verifies(['H28', 'H15'], 'that are no introspection answer cause 503, not 401', async () => {
    const app = await introspecting();
    const { origin } = app.canary;
    const token = await app.mint();
    for (const fault of [
      ...[{ status: 401 }, { status: 403 }, { status: 500 }, 'hang' as const, 'drip' as const],
      ...['reset' as const, { hugeBytes: 10 * 1024 * 1024 }, { redirectTo: `${origin}/introspect` }],
      ...[{ body: 'active' }, { body: '' }],
    ]) {
      as.fail('introspection', fault);
      const { headers } = await app.answers(503, undefined, token);
      expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
      as.recover('introspection');
      await app.accepts(token);
    }
  });
});

describe('the log', () => {
  verifies(
    'H29',
    'holds no claim but audience and scopes, which cannot pass for a line of their own',
    async () => {
      const app = await attacked({ more: { isRevoked: ({ jti }) => jti?.startsWith('revoked') ?? false } });
      const forged = '\n\r\u2028\u001b[2K[Nest] 1 - LOG [McpAuth] FORGED admin logged in';
      const names = { sub: `u1${forged}`, client_id: `c1${forged}`, act: { sub: forged } };
      await acceptsAll(app, [{ claims: names }, { claims: { ...names, jti: `j${forged}` } }]);
      await rejectsAll(app, [
        { claims: { ...names, jti: `revoked${forged}` } },
        { claims: { ...names, aud: `${ADMIN}${forged}` } },
        { claims: { ...names, iss: `${as.issuer}${forged}` } },
        { claims: { ...names, exp: forged } },
        { header: { kid: forged } },
        { header: { typ: forged } },
      ]);
      await app.answers(
        403,
        `Bearer error="insufficient_scope", scope="notes:read", resource_metadata="${NOTES_METADATA}", error_description="The access token does not grant what this operation needs"`,
        await app.mint({ claims: { ...names, scope: `x${forged}` } }),
      );
      expect(app.log.lines.length).toBeGreaterThan(0);
      expect(app.log.lines.filter((line) => /\p{Cc}|\u2028/u.test(line))).toEqual([]);
      // Of a verified token only audience, issuer and scopes are written, where they are the reason, and escaped.
      const escaped = '\\u000a\\u000d\\u2028\\u001b[2K[Nest] 1 - LOG [McpAuth] FORGED admin logged in';
      expect(app.log.lines.filter((line) => line.includes('FORGED'))).toEqual([
        expect.stringContaining(`: audience; expected "${NOTES}", the token has "${ADMIN}${escaped}" (`),
        expect.stringContaining(`, asked for notes:read, the token grants x${escaped} (`),
      ]);
    },
  );

  verifies('H29', 'holds a claim that a verifier puts into an error on the line of that error', async () => {
    const forged = '\n\r\u2028\u001b[2K[Nest] 1 - LOG [McpAuth] FORGED admin logged in';
    const verifier = (token: string): never => {
      throw new Error(`no account of ${String(claimsOf(token)['sub'])}`);
    };
    const app = await attacked({ more: { verifier }, staysGood: false });
    await app.answers(500, undefined, await app.mint({ sub: forged }));
    const lines = app.log.lines.flatMap((line) => line.split('\n')).filter((line) => line.includes('FORGED'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\p{Cc}\u2028]*no account of [^\p{Cc}\u2028]*$/u);
  });
});

describe('the public surface', () => {
  verifies('AUD-08', 'has no function that sends a token, except for its exchange', async () => {
    const names = Object.entries(entry).flatMap(([name, value]) => {
      const prototype: unknown = typeof value === 'function' ? value.prototype : undefined;
      return [name, ...Object.getOwnPropertyNames(value), ...Object.getOwnPropertyNames(prototype ?? {})];
    });
    expect(names).toContain('BearerAuthGuard');
    const sends =
      /fetch|forward|upstream|downstream|proxy|passthrough|outbound|exchange|delegate|client(?!Id)/i;
    const exchanging = ['DownstreamTokens', 'DownstreamTokenError', 'exchangeFor'];
    expect(names.filter((name) => sends.test(name) && !exchanging.includes(name))).toEqual([]);
  });

  verifies('AUD-08', 'sends a token nowhere when it is used', async () => {
    const sent: string[] = [];
    const recording: typeof fetch = (url, init) => {
      const { url: to, method, headers } = new Request(url, init);
      sent.push(JSON.stringify([to, method, [...headers], typeof init?.body, init?.body ?? null]));
      return fetch(url, init);
    };
    const app = await attacked({ more: { fetch: recording } });
    const token = await app.mint();
    await app.accepts(token);
    await app.rejects(await app.mint({ kid: 'unknown' }));
    expect(sent.length).toBeGreaterThan(1);
    expect(sent.filter((request) => /eyJ|"authorization"/i.test(request))).toEqual([]);
    const received = [...as.requests, ...other.requests].map((each) => JSON.stringify(each));
    expect(received.filter((request) => request.includes(token.split('.')[2] ?? token))).toEqual([]);
  });
});
