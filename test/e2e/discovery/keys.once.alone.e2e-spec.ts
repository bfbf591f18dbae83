import { beforeEach, describe, expect, it } from 'vitest';
import type { RemoteJwkSetOptions } from 'nestjs-mcp-auth';
import { startFailure } from '../../fixtures/app.js';
import { type Listener, LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { OAUTH, trusting, unresolved, WITHOUT_KEYS } from '../../fixtures/discovery.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { makeKey, type SigningKey } from '../../fixtures/keys.js';
import { failing, gone, hits, lastingToken, type LivingApp, startLiving } from '../../fixtures/living-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

const added: SigningKey = await makeKey('ES256', 'added');

let as: LoopbackAuthorizationServer;
let good: string;

beforeEach(async () => {
  as = await server();
  good = await lastingToken(as);
});

const keysOf = (...keys: SigningKey[]): object => ({ keys: keys.map(({ publicJwk }) => publicJwk) });
const withKeys = (remoteJwkSet: RemoteJwkSetOptions = {}): Promise<LivingApp> =>
  startLiving([{ issuer: as.issuer, remoteJwkSet }]);

/** The token with another key id; its signature no longer fits, and nobody comes to look at it. */
function withKid(token: string, kid: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'at+jwt', kid })).toString('base64url');
  return [header, ...token.split('.').slice(1)].join('.');
}

const flood = (count: number): string[] =>
  Array.from({ length: count }, () => withKid(good, crypto.randomUUID()));

/** Each status, and how often. */
function tally(statuses: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function expectOutage({ status, headers, json }: HttpAnswer): void {
  expect(status).toBe(503);
  expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  expect(headers).not.toHaveProperty('www-authenticate');
  expect(json).toMatchObject({ error: 'temporarily_unavailable' });
}

describe('rotation of keys', () => {
  verifies(['KEY-02', 'F50'], 'is noticed by the first token with the new key, with one fetch', async () => {
    const app = await withKeys();
    expect(await app.status(good)).toBe(200);
    as.at('/jwks', keysOf(as.key, added));
    app.clock.forward(30);
    expect(await app.status(await lastingToken(as, { key: added }))).toBe(200);
    expect(await app.status(good)).toBe(200);
    expect(hits(as, '/jwks')).toBe(2);
  });

  verifies('KEY-02', 'rejects tokens by a removed key from the cache age on', async () => {
    const app = await withKeys({ cacheMaxAgeSeconds: 600 });
    expect(await app.status(good)).toBe(200);
    as.at('/jwks', keysOf(added));
    app.clock.forward(500);
    expect(await app.status(good)).toBe(200);
    app.clock.forward(100);
    expect(await app.status(good)).toBe(401);
    expect(await app.status(await lastingToken(as, { key: added }))).toBe(200);
    expect(hits(as, '/jwks')).toBe(2);
  });

  verifies('F50', 'keeps the old keys until the new ones are there', async () => {
    const app = await withKeys();
    expect(await app.status(good)).toBe(200);
    as.at('/jwks', failing);
    app.clock.forward(30);
    expectOutage(await app.ask(await lastingToken(as, { key: added })));
    expect(await app.status(good)).toBe(200);
    as.at('/jwks', keysOf(as.key, added));
    app.clock.forward(5);
    expect(await app.status(await lastingToken(as, { key: added }))).toBe(200);
  });
});

describe('a flood of unknown key ids', () => {
  verifies(['KEY-03', 'F50'], 'costs one fetch per cooldown, and good tokens pass meanwhile', async () => {
    const app = await withKeys();
    expect(await app.status(good)).toBe(200);
    for (const cooldown of [1, 2, 3]) {
      app.clock.forward(30);
      const bad = flood(500).map((token) => app.status(token));
      const fine = Array.from({ length: 20 }, () => app.status(good));
      expect(tally(await Promise.all(bad))).toEqual({ 401: 500 });
      expect(tally(await Promise.all(fine))).toEqual({ 200: 20 });
      expect(hits(as, '/jwks')).toBe(1 + cooldown);
    }
  });

  verifies('KEY-03', 'costs no more one after the other', async () => {
    const app = await withKeys();
    const statuses: number[] = [];
    for (const token of flood(500)) statuses.push(await app.status(token));
    expect(tally(statuses)).toEqual({ 401: 500 });
    expect(hits(as, '/jwks')).toBe(1);
    expect(await app.status(good)).toBe(200);
  });

  verifies(
    ['KEY-06', 'KEY-03'],
    'is an outage while the server is down, with a fetch per pause',
    async () => {
      const app = await withKeys();
      expect(await app.status(good)).toBe(200);
      as.at('/jwks', gone);
      app.clock.forward(30);
      expect(tally(await Promise.all(flood(100).map((token) => app.status(token))))).toEqual({ 503: 100 });
      expect(await app.status(good)).toBe(200);
      expect(hits(as, '/jwks')).toBe(2);
    },
  );

  verifies('KEY-06', 'is a bad token within the cooldown, whether or not the server is down', async () => {
    const app = await withKeys();
    expect(await app.status(good)).toBe(200);
    as.at('/jwks', gone);
    app.clock.forward(25);
    expect(await app.status(flood(1)[0]!)).toBe(401);
    expect(hits(as, '/jwks')).toBe(1);
  });
});

describe('keys that cannot be fetched', () => {
  verifies(['KEY-05', 'F51'], 'cause one fetch per pause, and 503 for every token', async () => {
    as.at('/jwks', failing);
    const app = await withKeys();
    app.clock.stop();
    for (const [pause, fetches] of [
      [0, 1],
      [4, 1],
      [1, 2],
      [9, 2],
      [1, 3],
    ] as const) {
      app.clock.forward(pause);
      const answers = await Promise.all(Array.from({ length: 200 }, () => app.ask(good)));
      answers.forEach(expectOutage);
      expect(hits(as, '/jwks')).toBe(fetches);
    }
    as.at('/jwks', keysOf(as.key));
    app.clock.forward(20);
    expect(await app.status(good)).toBe(200);
  });

  verifies(['KEY-06', 'F51'], 'are used past their age, and not for ever', async () => {
    const app = await withKeys({ cacheMaxAgeSeconds: 600, staleMaxAgeSeconds: 3600 });
    expect(await app.status(good)).toBe(200);
    as.at('/jwks', gone);
    app.clock.forward(600);
    expect(tally(await Promise.all(Array.from({ length: 50 }, () => app.status(good))))).toEqual({ 200: 50 });
    expect(hits(as, '/jwks')).toBe(2);
    expect(app.log.warnings.filter((line) => line.startsWith('Could not fetch the keys of'))).toHaveLength(1);
    app.clock.forward(2900);
    expect(await app.status(good)).toBe(200);
    app.clock.forward(100);
    expectOutage(await app.ask(good));
    as.at('/jwks', keysOf(as.key));
    app.clock.forward(60);
    expect(await app.status(good)).toBe(200);
  });

  verifies(['KEY-07', 'F51'], 'are an outage in whatever form they come, and their limits hold', async () => {
    const canary = await server();
    const hang: Listener = () => undefined;
    const drip: Listener = (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => {
        clearInterval(timer);
      });
    };
    const redirect: Listener = (_, response) =>
      response.writeHead(302, { location: `${canary.origin}/jwks` }).end();
    const html: Listener = (_, response) => response.end('<html>');
    const created: Listener = (_, response) => response.writeHead(201).end(JSON.stringify(keysOf(as.key)));
    const slightlyTooLong: Listener = (_, response) =>
      response.end(JSON.stringify(keysOf(as.key)).padEnd(524_289));
    for (const reply of [
      failing,
      gone,
      hang,
      drip,
      redirect,
      html,
      created,
      slightlyTooLong,
      {},
      { keys: 1 },
    ]) {
      as.at('/jwks', reply);
      expectOutage(await (await withKeys({ timeoutMs: 200 })).ask(good));
    }
    expect(canary.paths).toEqual([]);
    as.at('/jwks', (_, response) => response.end(JSON.stringify(keysOf(as.key)).padEnd(524_288)));
    expect(await (await withKeys()).status(good)).toBe(200);
  });

  verifies('KEY-07', 'are not read beyond their limit', async () => {
    const CHUNK = Buffer.alloc(65_536, ' ');
    let written = 0;
    as.at('/jwks', (_, response) => {
      const write = (): void => {
        while (written < 64 * 1_048_576 && !response.destroyed) {
          written += CHUNK.byteLength;
          if (!response.write(CHUNK)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    const app = await withKeys();
    await app.send('/notes');
    const before = process.memoryUsage.rss();
    expectOutage(await app.ask(good));
    expect(process.memoryUsage.rss() - before).toBeLessThan(40 * 1_048_576);
    expect(written).toBeLessThan(16 * 1_048_576);
  });
});

describe('a key set', () => {
  verifies('KEY-07', 'is used without the members that no signature can be verified with', async () => {
    const privateKey = { ...added.publicJwk, d: 'AAAA' };
    as.at('/jwks', { keys: [null, { kty: 'oct', k: 'AAAA', kid: 'o' }, privateKey, as.key.publicJwk] });
    const app = await withKeys();
    expect(await app.status(good)).toBe(200);
    expect(await app.status(await lastingToken(as, { key: added }))).toBe(401);
    expect(app.log.errors).toEqual([`${as.issuer} publishes 3 keys that cannot be used; left out`]);
  });

  verifies('F49', 'is fetched with the configured headers, and within the configured time', async () => {
    const given = { 'x-tenant': 'one', Accept: 'text/html', 'User-Agent': 'notes' };
    const app = await withKeys({ headers: given, timeoutMs: 500 });
    expect(await app.status(good)).toBe(200);
    const [request] = as.requests.filter(({ path }) => path === '/jwks');
    expect(request!.headers).toMatchObject({
      ...{ 'x-tenant': 'one', accept: 'application/json', 'user-agent': 'notes' },
    });
    expect(as.requests.find(({ path }) => path === OAUTH)!.headers).not.toHaveProperty('x-tenant');
  });

  verifies('F49', 'has options that are known, and no other', async () => {
    const misspelt = { issuer: as.issuer, remoteJwtSet: {} } as unknown as { issuer: string };
    expect((await startFailure(trusting(misspelt))).message).toMatch(/remoteJwtSet.*remoteJwkSet/s);
    const inner = { issuer: as.issuer, remoteJwkSet: { cooldown: 1 } as RemoteJwkSetOptions };
    expect((await startFailure(trusting(inner))).message).toMatch(/remoteJwkSet\.cooldown/);
    expect(as.paths).toEqual([]);
  });

  verifies('F52', 'fails startup if it has no address and is not configured', async () => {
    as.at(OAUTH, as.metadata({ jwks_uri: undefined }));
    expect((await startFailure(trusting(as.issuer))).message).toBe(
      unresolved([as.issuer, `${as.origin}${OAUTH}: ${WITHOUT_KEYS}`]),
    );
    const app = await startLiving([{ issuer: as.issuer, jwks: { keys: [as.key.publicJwk] } }]);
    expect(await app.status(good)).toBe(200);
    expect(hits(as, '/jwks')).toBe(0);
  });
});

describe('several servers', () => {
  verifies(['F24', 'F48'], 'are asked for the keys of their own tokens only', async () => {
    const other = closeAfterTest(await LoopbackAuthorizationServer.start('/tenant', { key: added }));
    const stranger = await server();
    const app = await startLiving([as.issuer, other.issuer]);
    expect(await app.status(await lastingToken(other))).toBe(200);
    expect([hits(as, '/jwks'), hits(other, '/jwks')]).toEqual([0, 1]);
    expect(await app.status(good)).toBe(200);
    const before = [as, other].map(({ paths }) => paths.length);
    expect(await app.status(await lastingToken(stranger))).toBe(401);
    expect(await app.status(await as.token({ iss: `${as.issuer}/` }))).toBe(401);
    expect([as, other].map(({ paths }) => paths.length)).toEqual(before);
    expect(stranger.paths).toEqual([]);
  });
});

it('asks once for the keys of a server that two apps of one process trust, each for itself', async () => {
  const [first, second] = [await withKeys(), await withKeys()];
  await Promise.all([first.status(good), first.status(good), second.status(good)]);
  expect(hits(as, '/jwks')).toBe(2);
});
