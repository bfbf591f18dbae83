import { Controller, Get, type LoggerService, UseGuards } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  AuthInfo,
  type AuthorizationServerOptions,
  BearerAuthGuard,
  type IntrospectionOptions,
  MCP_AUTH_OPTIONS,
  type McpAuthEvent,
  McpAuthEvents,
  type McpAuthModuleOptions,
  ProtectedResource,
} from 'nestjs-mcp-auth';
import {
  makeTestKey,
  TestAuthorizationServer,
  type TestAuthorizationServerOptions,
  type TestClaimsOptions,
  type TestClient,
  type TestFault,
  type TestTokenOptions,
} from 'nestjs-mcp-auth/testing';
import { type RunningApp, start, startFailure } from '../../fixtures/app.js';
import { TestClock } from '../../fixtures/clock.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const CLIENT = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };
const GOOD: TestClaimsOptions = { audience: NOTES, scopes: ['notes:read'] };

const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", scope="notes:read", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};
const INSUFFICIENT = {
  status: 403,
  challenge: `Bearer error="insufficient_scope", scope="notes:read", resource_metadata="${NOTES_METADATA}", error_description="The access token does not grant what this operation needs"`,
  json: {
    error: 'insufficient_scope',
    error_description: 'The access token does not grant what this operation needs',
  },
};
const UNAVAILABLE = {
  status: 503,
  challenge: undefined,
  json: {
    error: 'temporarily_unavailable',
    error_description: 'The access token cannot be checked at the moment; try again later',
  },
};

function rejection({ status, headers, json }: HttpAnswer): object {
  return { status, challenge: headers['www-authenticate'], json };
}

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  whoami(@AuthInfo() auth: AuthInfo): unknown {
    return auth;
  }
}

@Controller('notes')
@ProtectedResource('notes')
class NamedNotesController extends NotesController {}

@Controller('admin')
@ProtectedResource('admin')
class AdminController extends NotesController {}

/** Keeps every line of every level, and what stands beside it. */
class FullLog implements LoggerService {
  readonly lines: string[] = [];
  private readonly keep =
    (level: string) =>
    (...line: unknown[]): void =>
      void this.lines.push(`${level} ${line.map((part) => inspect(part, { depth: 10 })).join(' ')}`);
  readonly log = this.keep('log');
  readonly warn = this.keep('warn');
  readonly error = this.keep('error');
  readonly debug = this.keep('debug');
  readonly verbose = this.keep('verbose');

  errors(): string[] {
    return this.lines.filter((line) => line.startsWith('error '));
  }
}

async function authorizationServer(options: TestAuthorizationServerOptions = {}) {
  return closeAfterTest(await TestAuthorizationServer.start(options));
}

type ServerOptions = Partial<Pick<AuthorizationServerOptions, 'mode' | 'algorithms'>> & {
  introspection?: Partial<IntrospectionOptions>;
};

/** How a server is configured that is asked about every token. */
function asking(as: TestAuthorizationServer, { introspection, ...server }: ServerOptions = {}) {
  return {
    issuer: as.issuer,
    mode: 'introspection',
    introspection: { ...CLIENT, ...introspection },
    ...server,
  } as AuthorizationServerOptions;
}

function startWith(
  servers: AuthorizationServerOptions[],
  options: Partial<McpAuthModuleOptions> = {},
  log = new FullLog(),
): Promise<RunningApp> {
  return start(
    {
      resources: { resource: NOTES, authorizationServers: servers, requiredScopes: ['notes:read'] },
      discoveryTimeoutMs: 2500,
      ...options,
    },
    { controllers: [NotesController], log },
  );
}

const get = (app: RunningApp, token: string) =>
  app.send('/notes', { headers: { authorization: `Bearer ${token}` } });

const statusOf = async (app: RunningApp, token: string) => (await get(app, token)).status;

/** Answers introspection with this document, as JSON. */
const says = (as: TestAuthorizationServer, json: unknown): void => {
  as.fail('introspection', { json });
};

describe('the introspection request', () => {
  verifies(['OPQ-01', 'F80'], 'is a form with the token in its body and nowhere else', async () => {
    const as = await authorizationServer();
    const app = await startWith([asking(as)]);
    const token = as.issueOpaqueToken(GOOD);
    as.resetRequests();
    expect(await statusOf(app, token)).toBe(200);
    expect(as.requests).toMatchObject([{ method: 'POST', path: '/introspect' }]);
    const [{ headers, body }] = as.requests as [(typeof as.requests)[number]];
    expect(headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
      accept: 'application/json',
    });
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      token,
      token_type_hint: 'access_token',
    });
    expect(JSON.stringify(headers)).not.toContain(token);
    expect(await statusOf(app, `${token}x`)).toBe(401);
  });

  verifies('OPQ-02', 'has id and secret form-encoded before they are joined', async () => {
    const clientSecret = 'p:w d%';
    const as = await authorizationServer({ introspectionClient: { clientId: 'r/s', clientSecret } });
    const app = await startWith([asking(as, { introspection: { clientId: 'r/s', clientSecret } })]);
    expect(await statusOf(app, as.issueOpaqueToken(GOOD))).toBe(200);
    const credentials = Buffer.from('r%2Fs:p%3Aw+d%25').toString('base64');
    expect(as.requests.at(-1)?.headers.authorization).toBe(`Basic ${credentials}`);
  });

  verifies(['OPQ-02', 'F80'], 'authenticates its client by secret, by key, or not at all', async () => {
    const keyPair = async (alg: string): Promise<{ privateKey: JWK; publicJwk: JWK }> => {
      const pair = await generateKeyPair(alg, { extractable: true });
      const named = { kid: 'client-key', alg };
      return {
        privateKey: { ...(await exportJWK(pair.privateKey)), ...named },
        publicJwk: { ...(await exportJWK(pair.publicKey)), ...named },
      };
    };
    const clientId = CLIENT.clientId;
    // Assertions are dated by the application's clock, which need not be the machine's.
    const tomorrow = () => new Date(Date.now() + 86_400_000);
    const forms: [TestClient, Partial<IntrospectionOptions>][] = [
      [
        { ...CLIENT, authMethods: ['client_secret_post'] },
        { ...CLIENT, authMethod: 'client_secret_post' },
      ],
      [{ clientId, authMethods: ['none'] }, { clientId }],
    ];
    for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
      const { privateKey, publicJwk } = await keyPair(alg);
      forms.push([
        { clientId, publicJwk },
        { clientId, privateKey },
      ]);
    }
    for (const [introspectionClient, introspection] of forms) {
      const as = await authorizationServer({ introspectionClient, now: tomorrow });
      const server = { ...asking(as), introspection: introspection as IntrospectionOptions };
      const app = await startWith([server], { now: tomorrow });
      const token = as.issueOpaqueToken(GOOD);
      expect([introspection.authMethod, await statusOf(app, token)]).toEqual([introspection.authMethod, 200]);
      const form = new URLSearchParams(as.requests.at(-1)?.body);
      expect([...form.keys()].filter((name) => name.startsWith('client_')).sort()).toEqual(
        introspection.privateKey
          ? ['client_assertion', 'client_assertion_type', 'client_id']
          : introspection.clientSecret === undefined
            ? ['client_id']
            : ['client_id', 'client_secret'],
      );
      const other = { ...server.introspection, clientId: 'another' };
      const stranger = await startWith([{ ...server, introspection: other }], { now: tomorrow });
      expect(rejection(await get(stranger, token))).toEqual(UNAVAILABLE);
    }
  });

  verifies(
    ['OPQ-02', 'OPS-08'],
    'authenticates its client by an access token, which is renewed as it expires',
    async () => {
      const [clientId, log] = [CLIENT.clientId, new FullLog()];
      const as = await authorizationServer({ introspectionClient: { clientId, bearerToken: 'own-token-2' } });
      const given = ['own-token-2', 'own-token-1', 'own-token-2'];
      const bearerToken = () => Promise.resolve(given.shift() ?? '');
      const server = { ...asking(as), introspection: { clientId, bearerToken } };
      const app = await startWith([server], {}, log);
      const token = as.issueOpaqueToken(GOOD);
      expect(await statusOf(app, token)).toBe(200);
      expect(as.requests.at(-1)?.headers.authorization).toBe('Bearer own-token-2');
      expect([...new URLSearchParams(as.requests.at(-1)?.body).keys()].sort()).toEqual([
        'token',
        'token_type_hint',
      ]);
      expect(rejection(await get(app, token))).toEqual(UNAVAILABLE);
      expect(log.errors()).toEqual([expect.stringContaining(`by the client "${clientId}" with bearer`)]);
      expect(await statusOf(app, token)).toBe(200);
      expect(rejection(await get(app, token))).toEqual(UNAVAILABLE); // there is none any more
      expect(as.requestCount('introspection')).toBe(3);
      const fixed = await startWith([{ ...server, introspection: { clientId, bearerToken: 'own-token-2' } }]);
      expect(await statusOf(fixed, token)).toBe(200);
      const options: unknown = fixed.app.get(MCP_AUTH_OPTIONS, { strict: false });
      for (const shown of [log.lines.join(), inspect(options, { depth: 10 }), JSON.stringify(options)])
        expect(shown).not.toContain('own-token');
    },
  );

  verifies('OPQ-02', 'needs a key that can sign, or the application does not start', async () => {
    const as = await authorizationServer();
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const { d, ...publicKey } = await exportJWK(privateKey);
    const rejected = async (key: JWK) =>
      (
        await startFailure({
          resources: {
            resource: NOTES,
            authorizationServers: [
              asking(as, {
                introspection: { clientId: 'c', privateKey: key, clientSecret: undefined as never },
              }),
            ],
          },
        })
      ).message;
    const path = 'resources[0].authorizationServers[0].introspection.privateKey';
    expect(await rejected({ ...publicKey, alg: 'ES256' })).toBe(
      `McpAuthModule has 1 problem:\n  - ${path}: is no private key for "ES256"`,
    );
    expect(await rejected({ ...publicKey, d: d! })).toContain(`${path}: has no "alg" of RS256, `);
    expect(as.requests).toEqual([]);
  });

  verifies('OPQ-08', 'is not made for what cannot be a token', async () => {
    const as = await authorizationServer();
    const app = await startWith([asking(as)]);
    for (const token of ['a b', 'tökén', 'x'.repeat(8193), '"quoted"']) {
      expect(rejection(await get(app, Buffer.from(token).toString('latin1')))).toEqual(INVALID_TOKEN);
    }
    expect(as.requestCount('introspection')).toBe(0);
    expect(await statusOf(app, 'x'.repeat(8192))).toBe(401);
    expect(as.requestCount('introspection')).toBe(1);
  });
});

describe('the introspection answer', () => {
  const good = (as: TestAuthorizationServer) => ({
    active: true,
    iss: as.issuer,
    sub: 'user-1',
    client_id: 'client-1',
    aud: NOTES,
    scope: 'notes:read',
    exp: Math.floor(Date.now() / 1000) + 60,
  });

  verifies(['OPQ-03', 'F80'], 'counts as active only if "active" is true', async () => {
    const as = await authorizationServer();
    const app = await startWith([asking(as)]);
    says(as, good(as));
    expect(await statusOf(app, 'opaque')).toBe(200);
    const silent = { ...good(as), active: undefined };
    for (const answer of [
      ...['true', 1, 'True', {}, [true], null, false].map((active) => ({ ...good(as), active })),
      ...[silent, {}, [], null, 'true', true, 1],
    ]) {
      says(as, answer);
      expect([answer, rejection(await get(app, 'opaque'))]).toEqual([answer, INVALID_TOKEN]);
    }
    as.fail('introspection', { body: '{"__proto__":{"active":true}}' });
    expect(rejection(await get(app, 'opaque'))).toEqual(INVALID_TOKEN);
  });

  verifies(['OPQ-04', 'F67', 'F81'], 'goes through all checks that a JWT goes through', async () => {
    const as = await authorizationServer();
    const now = Math.floor(Date.now() / 1000);
    const app = await startWith([asking(as)], { now: () => new Date(now * 1000) });
    const outcome = async (changes: object) => {
      says(as, { ...good(as), exp: now + 60, ...changes });
      return get(app, 'opaque');
    };
    for (const changes of [
      {},
      { aud: ['https://other.example', NOTES] },
      { iss: undefined },
      { exp: now - 4 },
      { nbf: now + 5 },
      { scope: 'notes:write notes:read' },
    ]) {
      expect([changes, (await outcome(changes)).status]).toEqual([changes, 200]);
    }
    for (const changes of [
      { aud: 'other' },
      { aud: `${NOTES}x` },
      { aud: undefined },
      { aud: null },
      { iss: `${as.issuer}/` },
      { iss: null },
      { exp: now - 5 },
      { exp: String(now + 60) },
      { nbf: now + 6 },
      { cnf: { jkt: 'x' } },
      { sub: '' },
      { nonce: 'an ID token' },
    ]) {
      expect([changes, rejection(await outcome(changes))]).toEqual([changes, INVALID_TOKEN]);
    }
    expect(rejection(await outcome({ scope: 'notes:rea' }))).toEqual(INSUFFICIENT);
    expect(rejection(await outcome({ scope: undefined }))).toEqual(INSUFFICIENT);
  });

  verifies(['OPQ-04', 'AUD-06'], 'may lack an audience only by choice, with a warning', async () => {
    const as = await authorizationServer();
    const log = new FullLog();
    const trusting = { introspection: { trustAnswerWithoutAudience: true } };
    const [strict, trusts] = [
      await startWith([asking(as)]),
      await startWith([asking(as, trusting)], {}, log),
    ];
    says(as, good(as));
    expect([await statusOf(strict, 'opaque'), await statusOf(trusts, 'opaque')]).toEqual([200, 200]);
    says(as, { ...good(as), aud: undefined });
    expect(rejection(await get(strict, 'opaque'))).toEqual(INVALID_TOKEN);
    expect(await statusOf(trusts, 'opaque')).toBe(200);
    for (const aud of [ADMIN, `${NOTES}x`, [], [ADMIN], '', null, 7]) {
      says(as, { ...good(as), aud });
      expect([aud, rejection(await get(trusts, 'opaque'))]).toEqual([aud, INVALID_TOKEN]);
    }
    expect(log.lines.filter((line) => line.startsWith('warn '))).toEqual([
      expect.stringContaining(`${NOTES}: "trustAnswerWithoutAudience" is on: `),
    ]);
    // It is for answers: a JWT names its audience, or opens nothing.
    const mixed = await startWith([asking(as, { ...trusting, mode: 'auto' })]);
    expect(await statusOf(mixed, await as.issueToken(GOOD))).toBe(200);
    const jwt = await as.issueToken({ ...GOOD, claims: { aud: undefined } });
    expect(rejection(await get(mixed, jwt))).toEqual(INVALID_TOKEN);
  });

  it('cannot be of another server that the resource trusts too', async () => {
    const [as, other] = [await authorizationServer(), await authorizationServer()];
    const app = await startWith([asking(as), { issuer: other.issuer }]);
    says(as, good(as));
    expect(await statusOf(app, 'opaque')).toBe(200);
    says(as, { ...good(as), iss: other.issuer });
    expect(rejection(await get(app, 'opaque'))).toEqual(INVALID_TOKEN);
  });

  verifies('OPQ-05', 'that the token is not active becomes 401 without detail', async () => {
    const as = await authorizationServer();
    const app = await startWith([asking(as)]);
    const inactive = { active: false, sub: 'u1', scope: 'notes:read', error: 'revoked by u2' };
    says(as, inactive);
    const answer = await get(app, 'opaque');
    expect(rejection(answer)).toEqual(INVALID_TOKEN);
    const malformed = await get(app, '"');
    expect(answer.text).toBe(malformed.text);
  });

  verifies(['OPQ-12', 'F81'], 'becomes what handlers see of the caller', async () => {
    const as = await authorizationServer();
    const app = await startWith([asking(as)]);
    const answer = { ...good(as), username: 'ann', aud: [NOTES, 'x'], scope: 'a notes:read', nbf: 1 };
    says(as, { ...answer, token_type: 'bearer', org: { id: 7 } });
    const { status, json } = await get(app, 'opaque');
    expect(status).toBe(200);
    expect(json).toMatchObject({
      clientId: 'client-1',
      subject: 'user-1',
      issuer: as.issuer,
      scopes: ['a', 'notes:read'],
      audience: [NOTES, 'x'],
      expiresAt: answer.exp,
      claims: { username: 'ann', org: { id: 7 }, nbf: 1 },
    });
    says(as, { ...answer, iss: undefined });
    expect((await get(app, 'opaque')).json).toMatchObject({ issuer: as.issuer, claims: { iss: as.issuer } });
    for (const token_type of ['DPoP', 'N_A', 'Bearer ', '', null, 7]) {
      says(as, { ...answer, token_type });
      expect([token_type, rejection(await get(app, 'opaque'))]).toEqual([token_type, INVALID_TOKEN]);
    }
  });

  verifies(['OPQ-13', 'F81'], 'may lack an expiry, unless one is asked for', async () => {
    const as = await authorizationServer();
    const endless = { ...good(as), exp: undefined };
    const app = await startWith([asking(as, { introspection: { cache: {} } })]);
    says(as, endless);
    const { status, json } = await get(app, 'opaque');
    expect([status, (json as { expiresAt?: number }).expiresAt]).toEqual([200, undefined]);
    expect(await statusOf(app, 'opaque')).toBe(200);
    expect(as.requestCount('introspection')).toBe(2); // it is not kept
    const strict = await startWith([asking(as, { introspection: { requireExpiry: true } })]);
    expect(rejection(await get(strict, 'opaque'))).toEqual(INVALID_TOKEN);
    says(as, good(as));
    expect(await statusOf(strict, 'opaque')).toBe(200);
  });
});

describe('an authorization server that gives no answer', () => {
  verifies(['OPQ-06', 'OPQ-10', 'F80'], 'makes it 503, and never 401', async () => {
    const as = await authorizationServer();
    const log = new FullLog();
    const app = await startWith([asking(as, { introspection: { timeoutMs: 300 } })], {}, log);
    const token = as.issueOpaqueToken(GOOD);
    const faults: TestFault[] = [
      ...[500, 400, 404, 429, 201].map((status) => ({ status })),
      { body: '' },
      { body: '<html>active' },
      { hugeBytes: 10_000_000 },
      { hugeBytes: 65_537 },
      'hang',
      'drip',
      'reset',
    ];
    for (const fault of faults) {
      as.fail('introspection', fault);
      const answer = await get(app, token);
      expect([fault, rejection(answer)]).toEqual([fault, UNAVAILABLE]);
      expect(answer.headers['retry-after']).toBe('5');
      as.recover();
      expect(await statusOf(app, token)).toBe(200);
    }
    as.fail('introspection', { hugeBytes: 65_536 });
    expect(await statusOf(app, token)).toBe(200);
    await as.goDown();
    expect(rejection(await get(app, token))).toEqual(UNAVAILABLE);
    expect(log.errors()).toEqual([]);
  });

  verifies(
    ['OPQ-06', 'F80'],
    'because of our own credentials is 503 and a message to operators',
    async () => {
      const as = await authorizationServer();
      const log = new FullLog();
      const app = await startWith([asking(as)], {}, log);
      const token = as.issueOpaqueToken(GOOD);
      for (const status of [401, 403]) {
        log.lines.length = 0;
        as.fail('introspection', { status });
        expect(rejection(await get(app, token))).toEqual(UNAVAILABLE);
        expect(rejection(await get(app, token))).toEqual(UNAVAILABLE);
        // Once: what follows is a warning each.
        expect(log.errors()).toEqual([expect.stringContaining(`${as.issuer} answers ${String(status)}`)]);
        expect(log.errors()[0]).toContain(`by the client "${CLIENT.clientId}" with client_secret_basic`);
        as.recover();
        expect(await statusOf(app, token)).toBe(200);
      }
    },
  );

  verifies(
    ['OPQ-10', 'F82'],
    'but a redirect, gets neither token nor credentials anywhere else',
    async () => {
      const [as, canary] = [await authorizationServer(), await authorizationServer()];
      const app = await startWith([asking(as)]);
      const token = as.issueOpaqueToken(GOOD);
      for (const status of [301, 302, 303, 307, 308]) {
        as.fail('introspection', { redirectTo: canary.introspectionEndpoint, status });
        expect(rejection(await get(app, token))).toEqual(UNAVAILABLE);
      }
      expect(canary.requests).toEqual([]);
      as.recover();
      expect(await statusOf(app, token)).toBe(200);
    },
  );
});

describe('tokens that come at once', () => {
  /** Holds every answer back until it is let go, and counts what is under way. */
  async function holding() {
    const as = await authorizationServer();
    const held: (() => void)[] = [];
    const state = { most: 0, total: 0, underWay: 0 };
    const answer = JSON.stringify({
      active: true,
      sub: 'u',
      client_id: 'c',
      aud: NOTES,
      scope: 'notes:read',
    });
    as.serve('/introspect', (_, response) => {
      state.total += 1;
      state.underWay += 1;
      state.most = Math.max(state.most, state.underWay);
      response.on('close', () => (state.underWay -= 1));
      held.push(() => response.end(answer));
    });
    return { as, held, state };
  }
  const tokens = Array.from({ length: 6 }, (_, at) => `opaque-${String(at)}`);

  verifies('OPQ-10', 'are introspected up to a limit at a time, and the others in turn', async () => {
    const { as, held, state } = await holding();
    const app = await startWith([asking(as, { introspection: { maxConcurrentRequests: 2 } })]);
    const answers = Promise.all(tokens.map((token) => statusOf(app, token)));
    for (let done = 0; done < tokens.length; done++) {
      await expect.poll(() => held.length).toBeGreaterThan(0);
      held.shift()!();
    }
    expect(await answers).toEqual(tokens.map(() => 200));
    expect(state).toMatchObject({ most: 2, total: 6 });

    const free = await startWith([asking(as)]);
    const together = Promise.all(tokens.map((token) => statusOf(free, token)));
    await expect.poll(() => held.length).toBe(6);
    held.splice(0).forEach((letGo) => {
      letGo();
    });
    expect(await together).toEqual(tokens.map(() => 200));
  });

  verifies('OPQ-10', 'get 503 if their turn does not come in time, and leave nothing behind', async () => {
    const { as, held, state } = await holding();
    const log = new FullLog();
    const introspection = { maxConcurrentRequests: 2, timeoutMs: 1000 };
    const app = await startWith([asking(as, { introspection })], {}, log);
    const asked = Promise.all(tokens.map((token) => get(app, token)));
    await expect.poll(() => state.total).toBe(2);
    await delay(100);
    expect(state.total).toBe(2);
    expect((await asked).map(rejection)).toEqual(tokens.map(() => UNAVAILABLE));
    const late = log.lines.filter((line) => line.includes('no complete answer within the time limit'));
    expect(late).toHaveLength(6);
    expect(late.filter((line) => line.includes('"maxConcurrentRequests"'))).toHaveLength(4);
    await expect.poll(() => state.underWay).toBe(0);
    let next: number | undefined;
    void statusOf(app, 'opaque').then((status) => (next = status));
    // The server may only now read requests that were given up in the moment in which they were sent.
    const answerAll = (): number | undefined => {
      held.splice(0).forEach((letGo) => {
        letGo();
      });
      return next;
    };
    await expect.poll(answerAll).toBe(200);
  });

  verifies('OPS-10', 'end their introspection with the application', async () => {
    const { as, held, state } = await holding();
    const introspection = { timeoutMs: 30_000 };
    const app = await startWith([asking(as, { introspection })]);
    // A client that does not wait any more, so that the shutdown does not wait for its answer.
    const client = new AbortController();
    const headers = { authorization: 'Bearer opaque' };
    const asked = fetch(`${app.origin}/notes`, { headers, signal: client.signal }).catch(() => undefined);
    await expect.poll(() => held.length).toBe(1);
    client.abort();
    await asked;
    const started = performance.now();
    await app.close();
    await expect.poll(() => state.underWay).toBe(0);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('the introspection endpoint', () => {
  const rejected = async (server: AuthorizationServerOptions) =>
    (await startFailure({ resources: { resource: NOTES, authorizationServers: [server] } })).message;

  verifies(['OPQ-10', 'F82'], 'is https or on loopback, or the application does not start', async () => {
    const as = await authorizationServer();
    for (const endpoint of ['http://as.example/i', 'http://localhost.evil.example/i', 'ftp://127.0.0.1/i']) {
      expect(await rejected(asking(as, { introspection: { endpoint } }))).toContain(
        'resources[0].authorizationServers[0].introspection.endpoint: ',
      );
      as.changeMetadata({ introspection_endpoint: endpoint });
      expect(await rejected(asking(as))).toContain(`has the "introspection_endpoint" "${endpoint}", which `);
    }
  });

  verifies('F80', 'is configured or in the metadata, or the application does not start', async () => {
    const as = await authorizationServer();
    as.changeMetadata({ introspection_endpoint: undefined });
    expect(await rejected(asking(as))).toContain(
      'has no "introspection_endpoint"; add it by "transpileData", or give it by the option "introspection.endpoint"',
    );
    const endpoint = as.introspectionEndpoint;
    const app = await startWith([asking(as, { introspection: { endpoint } })]);
    expect(await statusOf(app, as.issueOpaqueToken(GOOD))).toBe(200);
    const other = await startWith([asking(as, { introspection: { endpoint: `${endpoint}x` } })]);
    expect(rejection(await get(other, as.issueOpaqueToken(GOOD)))).toEqual(UNAVAILABLE);
  });

  verifies('F80', 'is enough without keys, unless answers are signed', async () => {
    const as = await authorizationServer();
    as.changeMetadata({ jwks_uri: undefined });
    const app = await startWith([asking(as)]);
    expect(await statusOf(app, as.issueOpaqueToken(GOOD))).toBe(200);
    expect(await rejected(asking(as, { mode: 'auto' }))).toContain('has no "jwks_uri"');
    expect(await rejected(asking(as, { introspection: { requireSignedResponse: true } }))).toContain(
      'has no "jwks_uri"',
    );
  });
});

describe('a token at a server with introspection', () => {
  verifies('OPQ-07', 'goes to the one server that it can belong to', async () => {
    const [as, other] = [await authorizationServer(), await authorizationServer()];
    const app = await startWith([{ issuer: other.issuer }, asking(as)]);
    const asked = () => [as, other].map((server) => server.requestCount('introspection'));
    expect(await statusOf(app, as.issueOpaqueToken(GOOD))).toBe(200);
    expect(rejection(await get(app, other.issueOpaqueToken(GOOD)))).toEqual(INVALID_TOKEN);
    expect(asked()).toEqual([2, 0]);
    expect(await statusOf(app, await as.issueToken(GOOD))).toBe(200);
    expect(asked()).toEqual([3, 0]);
    expect(await statusOf(app, await other.issueToken(GOOD))).toBe(200);
    const unknown = await other.issueToken({ ...GOOD, claims: { iss: 'https://as.example' } });
    expect(rejection(await get(app, unknown))).toEqual(INVALID_TOKEN);
    const nobodys = await as.issueToken({ ...GOOD, claims: { iss: undefined } });
    expect(rejection(await get(app, nobodys))).toEqual(INVALID_TOKEN);
    expect(asked()).toEqual([3, 0]);
  });

  verifies('OPQ-07', 'of one resource is not shown to the server of another', async () => {
    const [as, other] = [await authorizationServer(), await authorizationServer()];
    const { message } = await startFailure({
      resources: { resource: NOTES, authorizationServers: [asking(as), asking(other)] },
    });
    expect(message).toContain(
      'resources[0].authorizationServers[1].introspection: is the second server with "introspection"',
    );
    const app = await start(
      {
        resources: [
          { resource: NOTES, authorizationServers: [asking(as)], name: 'notes' },
          { resource: ADMIN, authorizationServers: [asking(other)], name: 'admin' },
        ],
      },
      { controllers: [NamedNotesController, AdminController] },
    );
    const token = other.issueOpaqueToken({ ...GOOD, audience: ADMIN });
    const at = async (path: string) =>
      (await app.send(path, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await at('/admin'), await at('/notes')]).toEqual([200, 401]);
    expect([as, other].map((server) => server.requestCount('introspection'))).toEqual([1, 1]);
  });

  verifies(['OPQ-14', 'F84'], 'that is a JWT is verified as one, and never introspected', async () => {
    const as = await authorizationServer();
    const app = await startWith([asking(as, { mode: 'auto' })]);
    const get401 = async (options: TestTokenOptions) => {
      expect(rejection(await get(app, await as.issueToken({ ...GOOD, ...options })))).toEqual(INVALID_TOKEN);
    };
    expect(await statusOf(app, await as.issueToken(GOOD))).toBe(200);
    const forger = await makeTestKey('RS256');
    await get401({ key: forger });
    await get401({ key: forger, kid: 'x' });
    await get401({ alg: 'none' });
    await get401({ expiresInSeconds: -10 });
    const genuine = await as.issueToken(GOOD);
    expect(rejection(await get(app, `${genuine.slice(0, -4)}AAAA`))).toEqual(INVALID_TOKEN);
    expect(as.requestCount('introspection')).toBe(0);
    for (const opaque of [as.issueOpaqueToken(GOOD), 'a.b.c', 'e30', `${genuine}.x`]) {
      expect(await statusOf(app, opaque)).toBe(opaque.length === 43 ? 200 : 401);
    }
    expect(as.requestCount('introspection')).toBe(4);
  });
});

describe('cached introspection answers', () => {
  const cached = async (cache: IntrospectionOptions['cache']) => {
    const clock = { at: Date.now() };
    const now = () => new Date(clock.at);
    const as = await authorizationServer({ now });
    const app = await startWith([asking(as, { introspection: cache ? { cache } : {} })], { now });
    return {
      as,
      app,
      count: () => as.requestCount('introspection'),
      wait: (seconds: number) => {
        clock.at += seconds * 1000;
      },
    };
  };

  verifies(
    ['OPQ-09', 'F83'],
    'serve a hundred requests by one, and a revoked token until their age is over',
    async () => {
      const { as, app, count, wait } = await cached({ maxAgeSeconds: 10 });
      const token = as.issueOpaqueToken(GOOD);
      const statuses = await Promise.all(Array.from({ length: 100 }, () => statusOf(app, token)));
      expect([new Set(statuses), count()]).toEqual([new Set([200]), 1]);
      as.revoke(token);
      wait(9.9);
      expect([await statusOf(app, token), count()]).toEqual([200, 1]);
      wait(0.1);
      expect([rejection(await get(app, token)), count()]).toEqual([INVALID_TOKEN, 2]);
    },
  );

  verifies('OPQ-09', 'end with the token, and are of the same token only', async () => {
    const { as, app, count, wait } = await cached({ maxAgeSeconds: 60 });
    const token = as.issueOpaqueToken({ ...GOOD, expiresInSeconds: 2 });
    expect([await statusOf(app, token), await statusOf(app, `${token}x`), count()]).toEqual([200, 401, 2]);
    wait(1);
    expect([await statusOf(app, token), count()]).toEqual([200, 2]);
    wait(1);
    expect([rejection(await get(app, token)), count()]).toEqual([INVALID_TOKEN, 3]);
  });

  verifies('OPQ-09', 'last for a shorter time if the token is inactive', async () => {
    const { as, app, count, wait } = await cached({ negativeMaxAgeSeconds: 3 });
    const token = randomUUID();
    expect([await statusOf(app, token), await statusOf(app, token), count()]).toEqual([401, 401, 1]);
    wait(3);
    says(as, { active: true, sub: 'u', client_id: 'c', aud: NOTES, scope: 'notes:read' });
    expect([await statusOf(app, token), count()]).toEqual([200, 2]);
  });

  verifies(['OPQ-09', 'AUD-07'], 'belong to one resource', async () => {
    const as = await authorizationServer();
    const app = await start(
      {
        resources: [NOTES, ADMIN].map((resource) => ({
          resource,
          name: resource === NOTES ? 'notes' : 'admin',
          authorizationServers: [asking(as, { introspection: { cache: {} } })],
        })),
      },
      { controllers: [NamedNotesController, AdminController] },
    );
    const headers = { authorization: `Bearer ${as.issueOpaqueToken({ audience: NOTES })}` };
    const at = async (path: string) => (await app.send(path, { headers })).status;
    expect([await at('/notes'), await at('/admin'), await at('/notes')]).toEqual([200, 401, 200]);
    expect(as.requestCount('introspection')).toBe(2);
  });

  verifies('OPQ-09', 'never hold failures', async () => {
    const { as, app, count } = await cached({});
    const token = as.issueOpaqueToken(GOOD);
    as.fail('introspection', { status: 500 });
    expect(rejection(await get(app, token))).toEqual(UNAVAILABLE);
    as.recover();
    expect([await statusOf(app, token), count()]).toEqual([200, 2]);
  });

  verifies(
    'F83',
    'do not exist unless configured, but requests at the same time share one answer',
    async () => {
      const { as, app, count } = await cached(undefined);
      const token = as.issueOpaqueToken(GOOD);
      expect([await statusOf(app, token), await statusOf(app, token), count()]).toEqual([200, 200, 2]);
      as.resetRequests();
      as.fail('introspection', { delayMs: 500 });
      const statuses = await Promise.all(Array.from({ length: 100 }, () => statusOf(app, token)));
      expect([new Set(statuses), count()]).toEqual([new Set([200]), 1]);
    },
  );
});

describe('a signed introspection answer', () => {
  const ANSWER = 'token-introspection+jwt';
  const signed = { introspection: { requireSignedResponse: true } };

  verifies('OPQ-11', 'is requested and verified', async () => {
    const as = await authorizationServer();
    const app = await startWith([asking(as, signed)]);
    expect(await statusOf(app, as.issueOpaqueToken(GOOD))).toBe(200);
    expect(as.requests.find(({ path }) => path === '/introspect')?.headers.accept).toBe(
      `application/${ANSWER}`,
    );
    expect(rejection(await get(app, 'unknown'))).toEqual(INVALID_TOKEN);
    expect(as.requestCount('jwks')).toBe(1);
  });

  verifies(
    'OPQ-11',
    'is rejected if unsigned, or signed by another server or for another client',
    async () => {
      const as = await authorizationServer();
      const now = Math.floor(Date.now() / 1000);
      const app = await startWith([asking(as, { ...signed, algorithms: ['RS256'] })], {
        now: () => new Date(now * 1000),
      });
      const token_introspection = { active: true, sub: 'u', client_id: 'c', aud: NOTES, scope: 'notes:read' };
      const outcome = async (claims: object, options: TestTokenOptions = {}) => {
        const body = await as.issueToken({
          typ: ANSWER,
          ...options,
          claims: { iss: as.issuer, aud: CLIENT.clientId, iat: now, token_introspection, ...claims },
        });
        as.fail('introspection', { body, contentType: `application/${ANSWER}` });
        return get(app, 'opaque');
      };
      for (const claims of [{}, { aud: ['x', CLIENT.clientId] }, { iat: now - 65 }, { iat: now + 5 }]) {
        expect([claims, (await outcome(claims)).status]).toEqual([claims, 200]);
      }
      for (const claims of [
        { iss: `${as.issuer}/` },
        { iss: undefined },
        { aud: 'another-client' },
        { aud: NOTES },
        { aud: undefined },
        { iat: now - 66 },
        { iat: now + 6 },
        { iat: undefined },
        { token_introspection: undefined },
      ]) {
        expect([claims, rejection(await outcome(claims))]).toEqual([claims, UNAVAILABLE]);
      }
      const forger = await makeTestKey('RS256');
      const secret = new TextEncoder().encode(CLIENT.clientSecret);
      const mutations: TestTokenOptions[] = [
        { typ: 'JWT' },
        { typ: 'at+jwt' },
        { header: { typ: undefined } },
        { key: forger },
        { key: forger, kid: 'unknown' },
        { alg: 'none' },
        { alg: 'HS256', key: secret },
        { alg: 'ES256' },
      ];
      for (const options of mutations) {
        expect([options, rejection(await outcome({}, options))]).toEqual([options, UNAVAILABLE]);
      }
      expect(rejection(await outcome({ token_introspection: { active: 'true' } }))).toEqual(INVALID_TOKEN);
      says(as, token_introspection);
      expect(rejection(await get(app, 'opaque'))).toEqual(UNAVAILABLE);
      as.recover();
      expect(await statusOf(app, as.issueOpaqueToken(GOOD))).toBe(200);
    },
  );

  verifies(['OPQ-11', 'KEY-04'], 'is verified with the same keys as access tokens are', async () => {
    const clock = new TestClock();
    const as = await authorizationServer({ now: clock.now });
    const log = new FullLog();
    const app = await startWith([asking(as, { ...signed, mode: 'auto' })], { now: clock.now }, log);
    const events: McpAuthEvent[] = [];
    app.app.get(McpAuthEvents, { strict: false }).events$.subscribe((event) => {
      if (event.type !== 'request_completed') events.push(event);
    });
    expect(await statusOf(app, await as.issueToken(GOOD))).toBe(200);
    expect(await statusOf(app, as.issueOpaqueToken(GOOD))).toBe(200);
    expect(as.requestCount('jwks')).toBe(1);
    // What becomes of them is told, whichever needs them.
    clock.forward(600);
    as.fail('jwks', { status: 500 });
    expect(await statusOf(app, as.issueOpaqueToken(GOOD))).toBe(200);
    expect(events.map(({ type }) => type).filter((type) => type !== 'access_granted')).toEqual([
      'discovery_failed',
      'stale_used',
    ]);
    expect(log.lines.filter((line) => line.includes('Could not fetch the keys of'))).toHaveLength(1);
    as.recover();
    clock.forward(60);
    events.length = 0;
    // Once it has failed, the old keys serve while they are renewed.
    expect(await statusOf(app, as.issueOpaqueToken(GOOD))).toBe(200);
    await expect.poll(() => events.map(({ type }) => type)).toContain('keys_refreshed');
  });

  verifies('OPQ-11', 'is no access token', async () => {
    const as = await authorizationServer();
    const app = await startWith([asking(as, { ...signed, mode: 'auto' })]);
    expect(await statusOf(app, await as.issueToken(GOOD))).toBe(200);
    const answer = await as.issueToken({ ...GOOD, typ: ANSWER });
    expect(rejection(await get(app, answer))).toEqual(INVALID_TOKEN);
    expect(as.requestCount('introspection')).toBe(0);
  });
});

describe('client secrets', () => {
  verifies('OPS-08', 'may come from a function, which is called once, and are shown nowhere', async () => {
    const as = await authorizationServer();
    const log = new FullLog();
    let asked = 0;
    const clientSecret = async () => {
      asked++;
      return CLIENT.clientSecret;
    };
    const app = await startWith([asking(as, { introspection: { clientSecret } })], {}, log);
    const token = as.issueOpaqueToken(GOOD);
    await Promise.all([get(app, token), get(app, as.issueOpaqueToken(GOOD)), get(app, 'unknown')]);
    expect([await statusOf(app, token), asked]).toEqual([200, 1]);
    for (const fault of [
      { status: 401 },
      { status: 500 },
      { body: `{"secret":"${token}"` },
      'reset',
    ] as const) {
      as.fail('introspection', fault);
      expect(rejection(await get(app, token))).toEqual(UNAVAILABLE);
    }
    const shown = log.lines.join('\n');
    expect(shown).toContain('answers 401');
    for (const secret of [CLIENT.clientSecret, token, Buffer.from(CLIENT.clientSecret).toString('base64')]) {
      expect(shown).not.toContain(secret);
    }
  });

  verifies('OPS-08', 'do not show when the options are inspected', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const key: JWK = { ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'k' };
    const as = await authorizationServer();
    for (const introspection of [
      { clientId: 'the-client', clientSecret: 'hush-hush' },
      { clientId: 'the-client', clientSecret: () => 'hush-hush' },
      { clientId: 'the-client', privateKey: key },
    ]) {
      const app = await startWith([{ ...asking(as), introspection }]);
      const options: unknown = app.app.get(MCP_AUTH_OPTIONS, { strict: false });
      for (const shown of [inspect(options, { depth: 10 }), JSON.stringify(options)]) {
        expect(shown).toContain('the-client');
        expect(shown).not.toContain('hush-hush');
        expect(shown).not.toContain(key.d);
      }
    }
  });

  verifies('OPS-08', 'cause 503 if they are not available', async () => {
    const as = await authorizationServer();
    const log = new FullLog();
    for (const clientSecret of [
      () => Promise.reject(new Error('vault sealed')),
      () => '',
      () => new Promise<string>(() => undefined),
    ]) {
      const app = await startWith([asking(as, { introspection: { clientSecret, timeoutMs: 100 } })], {}, log);
      expect(rejection(await get(app, as.issueOpaqueToken(GOOD)))).toEqual(UNAVAILABLE);
    }
    expect(as.requestCount('introspection')).toBe(0);
  });
});
