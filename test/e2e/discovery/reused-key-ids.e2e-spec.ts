import { SignJWT } from 'jose';
import { beforeEach, describe, expect } from 'vitest';
import type { AuthorizationServerOptions } from 'nestjs-mcp-auth';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { makeKey, type SigningKey } from '../../fixtures/keys.js';
import { failing, gone, hits, lastingToken, startLiving } from '../../fixtures/living-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const [old, renewed, foreign]: readonly SigningKey[] = await Promise.all(
  [1, 2, 3].map(() => makeKey('ES256', 'the-only-id')),
);
const other = await makeKey('ES256', 'another-id');

const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: {
    error: 'invalid_token',
    error_description: 'The access token is invalid or expired',
    reason: 'signature',
  },
};

const rejection = ({ status, headers, json }: HttpAnswer): object => ({
  status,
  challenge: headers['www-authenticate'],
  json,
});

let as: LoopbackAuthorizationServer;

beforeEach(async () => {
  as = closeAfterTest(await LoopbackAuthorizationServer.start('', { key: old! }));
});

const publish = (...keys: (SigningKey | undefined)[]): void => {
  as.at('/jwks', { keys: keys.map((key) => key?.publicJwk) });
};

const start = (server: Partial<AuthorizationServerOptions> = {}) =>
  startLiving([{ issuer: as.issuer, ...server }], {
    showErrorDetails: true,
    tokenCache: false,
  });

describe('a signature that fails under a known key id', () => {
  verifies('WAY-30', 'has the keys fetched, so that a server may use a key id again', async () => {
    const app = await start();
    const [before, after] = [await lastingToken(as), await lastingToken(as, { key: renewed! })];
    expect(await app.status(before)).toBe(200);
    publish(renewed);
    app.clock.forward(15);
    // Within the cooldown of an unknown key id it is a bad token.
    expect(rejection(await app.ask(after))).toEqual(INVALID_TOKEN);
    expect(hits(as, '/jwks')).toBe(1);
    app.clock.forward(15);
    expect(await app.status(after)).toBe(200);
    expect(rejection(await app.ask(before))).toEqual(INVALID_TOKEN);
    expect(hits(as, '/jwks')).toBe(2);
  });

  verifies('WAY-30', 'passes for all requests that wait for the same fetch', async () => {
    const app = await start();
    expect(await app.status(await lastingToken(as))).toBe(200);
    publish(renewed);
    app.clock.forward(30);
    const after = await lastingToken(as, { key: renewed! });
    const statuses = await Promise.all(Array.from({ length: 100 }, () => app.status(after)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(hits(as, '/jwks')).toBe(2);
  });

  verifies('WAY-30', 'costs one fetch per cooldown, however many come, and good tokens pass', async () => {
    const app = await start();
    const good = await lastingToken(as);
    const forged = await lastingToken(as, { key: foreign! });
    const [header, payload, signature = ''] = good.split('.');
    const broken = [header, payload, `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`].join(
      '.',
    );
    expect(await app.status(good)).toBe(200);
    for (const cooldown of [1, 2, 3]) {
      app.clock.forward(30);
      const bad = Array.from({ length: 500 }, (_, index) => app.status(index % 2 === 0 ? forged : broken));
      const fine = Array.from({ length: 20 }, () => app.status(good));
      expect(new Set(await Promise.all(bad))).toEqual(new Set([401]));
      expect(new Set(await Promise.all(fine))).toEqual(new Set([200]));
      expect(hits(as, '/jwks')).toBe(1 + cooldown);
      expect(rejection(await app.ask(forged))).toEqual(INVALID_TOKEN);
      expect(hits(as, '/jwks')).toBe(1 + cooldown);
    }
    // Unknown key ids have the same cooldown.
    app.clock.forward(30);
    expect(await app.status(forged)).toBe(401);
    expect(await app.status(await lastingToken(as, { key: other }))).toBe(401);
    expect(hits(as, '/jwks')).toBe(5);
  });

  verifies('WAY-30', 'stays a bad token where the keys cannot be fetched, unlike an unknown id', async () => {
    const app = await start();
    const good = await lastingToken(as);
    const forged = await lastingToken(as, { key: foreign! });
    expect(await app.status(good)).toBe(200);
    for (const down of [failing, gone]) {
      as.at('/jwks', down);
      app.clock.forward(60);
      expect(rejection(await app.ask(forged))).toEqual(INVALID_TOKEN);
      expect(rejection(await app.ask(forged))).toEqual(INVALID_TOKEN);
      expect(await app.status(await lastingToken(as, { key: other }))).toBe(503);
      expect(await app.status(good)).toBe(200);
    }
    expect(hits(as, '/jwks')).toBe(3);
  });

  verifies('WAY-30', 'recovers the same without a key id, and for keys by a function', async () => {
    const nameless = async (key: SigningKey): Promise<string> =>
      new SignJWT({ iss: as.issuer, aud: NOTES, sub: 'u', exp: Math.floor(Date.now() / 1000) + 86_400 })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
        .sign(key.privateKey);
    let published: (SigningKey | undefined)[] = [old, other];
    const jwks = (): { keys: object[] } => ({ keys: published.map((key) => key?.publicJwk ?? {}) });
    const app = await start({ jwks });
    expect(await app.status(await nameless(old!))).toBe(200);
    for (const next of [[renewed, other], [foreign]]) {
      published = next;
      app.clock.forward(30);
      expect(await app.status(await nameless(next[0]!))).toBe(200);
      expect(await app.status(await nameless(old!))).toBe(401);
    }
  });

  verifies('WAY-30', 'is a bad token at once where the keys are configured', async () => {
    const jwks = { keys: [old!.publicJwk] };
    const app = await start({ jwks });
    expect(await app.status(await lastingToken(as))).toBe(200);
    app.clock.forward(60);
    expect(rejection(await app.ask(await lastingToken(as, { key: renewed! })))).toEqual(INVALID_TOKEN);
    expect(hits(as, '/jwks')).toBe(0);
  });

  verifies('WAY-30', 'recovers signed introspection answers too', async () => {
    let signer = old!;
    const token_introspection = { active: true, sub: 'u', client_id: 'c', aud: NOTES };
    const introspection = {
      ...{ clientId: 'rs', clientSecret: 'rs-secret', endpoint: `${as.origin}/introspect` },
      requireSignedResponse: true,
    };
    const app = await start({ mode: 'introspection', introspection });
    as.at('/introspect', (_, response) => {
      void new SignJWT({ iss: as.issuer, aud: 'rs', token_introspection })
        .setProtectedHeader({ alg: 'ES256', kid: signer.kid, typ: 'token-introspection+jwt' })
        .setIssuedAt(app.clock.now())
        .sign(signer.privateKey)
        .then((answer) => response.end(answer));
    });
    expect(await app.status('opaque')).toBe(200);
    publish(renewed);
    signer = renewed!;
    app.clock.forward(15);
    // What an answer says that nobody signed is unknown: that is an outage.
    expect(await app.status('opaque')).toBe(503);
    app.clock.forward(15);
    expect(await app.status('opaque')).toBe(200);
    expect(hits(as, '/jwks')).toBe(2);
  });
});
