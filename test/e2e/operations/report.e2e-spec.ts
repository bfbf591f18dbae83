import { describe, expect } from 'vitest';
import {
  type AuthorizationServerOptions,
  McpAuthDiagnostics,
  type McpAuthModuleOptions,
  type McpAuthReport,
  TokenVerifier,
} from 'nestjs-mcp-auth';
import { TestAuthorizationServer, type TestTokenOptions } from 'nestjs-mcp-auth/testing';
import { ReplayProtection } from '../../../lib/request/replay-protection.js';
import { type AppParts, type RunningApp, start } from '../../fixtures/app.js';
import { TestClock } from '../../fixtures/clock.js';
import { INITIALIZE, MCP_HEADERS } from '../../fixtures/mcp-endpoint.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES, offlineResource } from '../../fixtures/resources.js';
import { SESSION_MOUNTINGS } from '../../fixtures/session-endpoints.js';
import { StreamController } from '../../fixtures/stream-endpoints.js';
import { openStream } from '../../fixtures/streams.js';
import { verifies } from '../../verifies.js';

const CLIENT = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };
const GOOD: TestTokenOptions = { audience: NOTES, scopes: ['notes:read'] };
const NOTES_ONLY: AppParts = { controllers: [NotesController] };

interface Reporting extends RunningApp {
  report(): McpAuthReport;
  status(token: string): Promise<number>;
}

async function startReporting(
  options: McpAuthModuleOptions,
  parts: AppParts = NOTES_ONLY,
): Promise<Reporting> {
  const app = await start(options, parts);
  const diagnostics = app.app.get(McpAuthDiagnostics, { strict: false });
  return {
    ...app,
    report: () => diagnostics.report(),
    status: async (token) =>
      (await app.send('/notes', { headers: { authorization: `Bearer ${token}` } })).status,
  };
}

async function testServer() {
  return closeAfterTest(await TestAuthorizationServer.start({ introspectionClient: CLIENT }));
}

describe('report()', () => {
  verifies('OPS-60', 'counts the verified tokens that are cached, found and not found', async () => {
    const as = await testServer();
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const app = await startReporting({ resources, tokenCache: { maxEntries: 7 } });
    const cache = (): object => app.report().caches.verifiedTokens;
    expect(cache()).toEqual({ entries: 0, maxEntries: 7, hits: 0, misses: 0 });
    const token = await as.issueToken(GOOD);
    for (const expected of [
      { entries: 0, hits: 0, misses: 1 }, // seen once: not cached
      { entries: 1, hits: 0, misses: 2 },
      { entries: 1, hits: 1, misses: 2 },
      { entries: 1, hits: 2, misses: 2 },
    ]) {
      expect(await app.status(token)).toBe(200);
      expect(cache()).toEqual({ maxEntries: 7, ...expected });
    }
    expect(await app.status('garbage')).toBe(401);
    expect(cache()).toEqual({ entries: 1, maxEntries: 7, hits: 2, misses: 3 });
    await as.rotateKey();
  });

  verifies('OPS-60', 'has the limit of all resources together, and none without a cache', async () => {
    const resources = [
      { ...offlineResource(NOTES), name: 'notes' },
      { ...offlineResource(ADMIN), name: 'admin' },
    ];
    const two = await startReporting({ resources, tokenCache: { maxEntries: 5 } }, {});
    expect(two.report().caches.verifiedTokens.maxEntries).toBe(10);
    const off = await startReporting({ resources, tokenCache: false, sessionBinding: false }, {});
    expect(off.report()).toMatchObject({
      caches: { verifiedTokens: { entries: 0, maxEntries: 0 }, introspection: [] },
      introspection: [],
      sessions: { entries: 0, maxEntries: 0 },
      streams: { open: 0 },
    });
  });

  verifies('OPS-60', 'counts introspection requests that run and wait, and cached responses', async () => {
    const as = await testServer();
    const introspecting = (cache: object): AuthorizationServerOptions => ({
      issuer: as.issuer,
      introspection: { ...CLIENT, maxConcurrentRequests: 1, ...cache },
    });
    const resources = {
      resource: NOTES,
      authorizationServers: [introspecting({ cache: { maxEntries: 3 } })],
    };
    const app = await startReporting({ resources });
    const server = { issuer: as.issuer, resource: NOTES };
    const none = { entries: 0, maxEntries: 6, hits: 0, misses: 0 };
    const expectNow = (running: number, waiting: number, cache: object): void => {
      const { introspection, caches } = app.report();
      expect(introspection).toEqual([{ ...server, running, waiting }]);
      expect(caches.introspection).toEqual([{ ...server, ...none, ...cache }]);
    };
    expectNow(0, 0, {});
    as.fail('introspection', { delayMs: 300 });
    const tokens = [1, 2, 3].map(() => as.issueOpaqueToken(GOOD));
    const pending = Promise.all(tokens.map((token) => app.status(token)));
    await expect.poll(() => app.report().introspection[0]?.waiting, { interval: 5 }).toBe(2);
    expectNow(1, 2, { misses: 3 });
    expect(await pending).toEqual([200, 200, 200]);
    expectNow(0, 0, { entries: 3, misses: 3 });
    expect(await app.status(tokens[0]!)).toBe(200);
    expectNow(0, 0, { entries: 3, hits: 1, misses: 3 });

    const uncached = await startReporting({
      resources: { ...resources, authorizationServers: [introspecting({})] },
    });
    expect(await uncached.status(tokens[0]!)).toBe(200);
    const { caches, introspection } = uncached.report();
    expect(introspection).toEqual([{ ...server, running: 0, waiting: 0 }]);
    expect(caches.introspection).toEqual([{ ...server, ...none, maxEntries: 0 }]);
  });

  verifies('OPS-60', 'counts the sessions that are bound', async () => {
    const as = await testServer();
    const [mounting] = SESSION_MOUNTINGS;
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const options = { resources, sessionBinding: { maxSessions: 4 }, ...mounting!.options };
    const app = await startReporting(options, mounting!.parts());
    expect(app.report().sessions).toEqual({ entries: 0, maxEntries: 4 });
    const headers = { ...MCP_HEADERS, authorization: `Bearer ${await as.issueToken(GOOD)}` };
    const opened = await app.send('/notes', { method: 'POST', headers, body: INITIALIZE });
    expect(app.report().sessions).toEqual({ entries: 1, maxEntries: 4 });
    const session = opened.headers['mcp-session-id'] as string;
    expect(
      (await app.send('/notes', { method: 'DELETE', headers: { ...headers, 'mcp-session-id': session } }))
        .status,
    ).toBe(200);
    expect(app.report().sessions).toEqual({ entries: 0, maxEntries: 4 });
  });

  verifies(
    ['OPS-60', 'POP-80'],
    'counts what the replay store in memory has, and rejects one person',
    async () => {
      const as = await testServer();
      const server = { issuer: as.issuer, oneTimeTokens: true };
      const app = await startReporting({ resources: { resource: NOTES, authorizationServers: [server] } });
      const maxReservations = 500_000;
      const expectNow = (reservations: number, rejections: number): void => {
        expect(app.report().replayStore).toEqual({ reservations, maxReservations, rejections });
      };
      const issue = (sub: string): Promise<string> => as.issueToken({ ...GOOD, sub });
      expectNow(0, 0);
      const used = await issue('ada');
      expect([await app.status(used), await app.status(used)]).toEqual([200, 401]);
      expectNow(1, 0);
      // As many requests of one person would take too long.
      const { memory } = app.app.get(ReplayProtection);
      const half = maxReservations / 2;
      for (let count = 1; count < half; count++)
        await memory.reserve(String(count), 3_600_000, JSON.stringify([as.issuer, 'ada']));
      const answer = await app.send('/notes', { headers: { authorization: `Bearer ${await issue('ada')}` } });
      expect([answer.status, answer.headers['retry-after'], answer.headers['www-authenticate']]).toEqual([
        503,
        '5',
        undefined,
      ]);
      expect(await app.status(await issue('bob'))).toBe(200);
      expect(await app.status(used)).toBe(401);
      expectNow(half + 1, 1);
    },
  );

  verifies('OPS-60', 'counts open event streams, and no other open response', async () => {
    const as = await testServer();
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const app = await startReporting({ resources }, { controllers: [StreamController] });
    const headers = { authorization: `Bearer ${await as.issueToken(GOOD)}` };
    const slow = app.send('/notes/slow', { headers });
    const open = (): number => app.report().streams.open;
    const [first, second] = await Promise.all(
      [1, 2].map(() => openStream(app.origin, '/notes/ticking', { headers })),
    );
    await expect.poll(open).toBe(2);
    first!.abort();
    await expect.poll(open).toBe(1);
    second!.abort();
    await expect.poll(open).toBe(0);
    expect((await slow).status).toBe(200);
  });

  verifies('OPS-61', 'has the options in force, with their defaults', async () => {
    const as = await testServer();
    const clock = new TestClock();
    const app = await startReporting({
      resources: {
        resource: NOTES,
        name: 'notes',
        authorizationServers: [{ issuer: as.issuer, algorithms: ['RS256'], profile: 'rfc9068' }],
        requiredScopes: ['notes:read'],
        audience: ['api://notes'],
      },
      clockToleranceSeconds: 3,
      tokenCache: false,
      isRevoked: () => false,
      toolChallenge: () => 'http',
      stdio: { scopes: ['notes:read'], subject: 'the-person' },
      now: clock.now,
    });
    expect(app.report().options).toMatchObject({
      resources: [
        {
          resource: NOTES,
          name: 'notes',
          verifier: 'package',
          audiences: ['api://notes'],
          requiredScopes: ['notes:read'],
          authorizationServers: [
            {
              issuer: as.issuer,
              mode: 'jwt',
              profile: 'rfc9068',
              algorithms: ['RS256'],
              keys: 'fetched',
              keysCooldownSeconds: 30,
              introspection: undefined,
            },
          ],
        },
      ],
      clockToleranceSeconds: 3,
      discovery: 'bootstrap',
      tokenCache: undefined,
      sessionBinding: { maxSessions: 10_000, maxIdleSeconds: 86_400, hasSecrets: false },
      showErrorDetails: false,
      errorUri: undefined,
      errorPage: undefined,
      toolChallenge: 'function',
      stdio: 'caller',
      hasIsRevoked: true,
      hasOnUnauthorized: false,
      hasScopeHierarchy: false,
    });
  });

  verifies('OPS-61', 'has keys, clients, policies and tenants, without functions', async () => {
    const secret = 's3cret-of-the-test';
    const resources = [
      {
        ...offlineResource(NOTES),
        name: 'notes',
        apiKeys: { header: 'X-Notes-Key', issuer: 'urn:example:keys', verifier: () => ({ sub: secret }) },
        allowedClients: { clientIds: ['app'], origins: ['https://Claude.ai'] },
        policy: [() => true],
      },
      { resource: `${ADMIN}/{tenant}`, name: 'tenants', tenants: () => undefined },
    ];
    const app = await startReporting({ resources }, {});
    const { options, tenants } = app.report();
    const shown = options.resources.map(({ apiKeys, allowedClients, hasPolicy }) => ({
      ...{ apiKeys, allowedClients, hasPolicy },
    }));
    expect(shown).toEqual([
      {
        apiKeys: { header: 'x-notes-key', issuer: 'urn:example:keys' },
        allowedClients: { clientIds: ['app'], origins: ['https://claude.ai/'] },
        hasPolicy: true,
      },
      { apiKeys: undefined, allowedClients: undefined, hasPolicy: false },
    ]);
    expect(tenants).toEqual([{ resource: `${ADMIN}/{tenant}`, entries: 0, maxEntries: 10_000 }]);
    expect(JSON.stringify(app.report())).not.toContain(secret);
  });

  verifies('OPS-61', 'tells whose verifier each resource has, also if it is a provider', async () => {
    class OwnVerifier extends TokenVerifier {
      verify(): null {
        return null;
      }
    }
    const verifiers = (app: Reporting): string[] =>
      app.report().options.resources.map(({ verifier }) => verifier);
    const resources = [
      { ...offlineResource(NOTES), name: 'notes' },
      { ...offlineResource(ADMIN), name: 'admin', verifier: () => null },
    ];
    expect(verifiers(await startReporting({ resources }, {}))).toEqual(['package', 'application']);
    const override: AppParts['override'] = (builder) =>
      builder.overrideProvider(TokenVerifier).useClass(OwnVerifier);
    expect(verifiers(await startReporting({ resources }, { override }))).toEqual([
      'application',
      'application',
    ]);
  });

  verifies('OPS-61', 'has no secret, no address that may hold one, and no function', async () => {
    const as = await testServer();
    const secret = 's3cret-of-the-test';
    const client = (introspection: object): AuthorizationServerOptions => ({
      metadata: { issuer: as.issuer, jwks_uri: `${as.jwksUri}?key=${secret}` },
      mcpCompliance: 'off',
      remoteJwkSet: { headers: { 'x-api-key': secret } },
      introspection: {
        clientId: 'resource-server',
        endpoint: `${as.introspectionEndpoint}?key=${secret}`,
        ...introspection,
      },
    });
    for (const introspection of [
      { clientSecret: secret },
      { clientSecret: () => secret },
      { bearerToken: secret },
      { clientSecret: secret, opaqueTokenPattern: new RegExp(secret) },
    ]) {
      const app = await startReporting({
        resources: { resource: NOTES, authorizationServers: [client(introspection)] },
        isRevoked: ({ jti }) => jti === secret,
        stdio: { scopes: [], subject: secret },
        fetch: (...args) => fetch(...args),
      });
      await app.status('opaque');
      const report = app.report();
      const text = JSON.stringify(report, (_, value: unknown) => {
        expect(typeof value).not.toBe('function');
        return value;
      });
      expect(text).not.toContain(secret);
      expect(text).not.toContain('x-api-key');
      expect(report.options.resources[0]?.authorizationServers[0]?.introspection).toMatchObject({
        clientId: 'resource-server',
        hasTokenPattern: 'opaqueTokenPattern' in introspection,
      });
    }
  });
});
