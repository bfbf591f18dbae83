import { readdirSync, readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type AuthorizationServerReport,
  BearerAuthGuard,
  McpAuthDiagnostics,
  ProtectedResource,
} from 'nestjs-mcp-auth';
import { start, startFailure } from '../../fixtures/app.js';
import type { Listener, LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { mismatch, OAUTH, trusting, down, unresolved } from '../../fixtures/discovery.js';
import { makeKey } from '../../fixtures/keys.js';
import { failing, gone, hits, lastingToken, type LivingApp, startLiving } from '../../fixtures/living-app.js';
import { startNotes } from '../../fixtures/notes-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES, PRM } from '../../fixtures/resources.js';
import { SELF_SIGNED } from '../../fixtures/self-signed.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

let as: LoopbackAuthorizationServer;
let good: string;

beforeEach(async () => {
  as = await server();
  good = await lastingToken(as);
});

const HOUR = 3600;

/** The server is down as a whole, or back with all that it had. */
function setDown(down: boolean, one = as): void {
  one.at(OAUTH, down ? gone : one.metadata());
  one.at('/jwks', down ? gone : { keys: [one.key.publicJwk] });
}

const unavailable = { error: 'temporarily_unavailable' };

describe('lazy discovery', () => {
  const lazy = { discovery: 'lazy' } as const;

  verifies(
    ['F18', 'F22', 'KEY-04'],
    'asks nothing at boot, and each document once for all first tokens',
    async () => {
      const app = await startLiving([as.issuer], lazy);
      expect((await app.send(`${PRM}/notes`)).json).toMatchObject({ authorization_servers: [as.issuer] });
      expect((await app.send('/notes')).status).toBe(401);
      expect(as.paths).toEqual([]);
      const statuses = await Promise.all(Array.from({ length: 200 }, () => app.status(good)));
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(as.paths).toEqual([OAUTH, '/jwks']);
    },
  );

  verifies('F22', 'does not keep a failure', async () => {
    setDown(true);
    const app = await startLiving([as.issuer], lazy);
    expect(await app.status(good)).toBe(503);
    expect(await app.status(good)).toBe(503);
    expect(as.paths).toEqual([OAUTH]);
    setDown(false);
    app.clock.forward(5);
    expect(await app.status(good)).toBe(200);
    expect(as.paths).toEqual([OAUTH, OAUTH, '/jwks']);
  });

  it('needs no network for metadata by hand, whose issuer is known from the start', async () => {
    const jwks = { keys: [as.key.publicJwk] };
    const app = await startLiving([{ metadata: { issuer: as.issuer }, jwks, mcpCompliance: 'off' }], lazy);
    expect((await app.send(`${PRM}/notes`)).json).toMatchObject({ authorization_servers: [as.issuer] });
    expect(await app.status(good)).toBe(200);
    expect(await app.status(await as.token({ iss: '', aud: NOTES }))).toBe(401);
    expect(as.paths).toEqual([]);
  });

  it('rejects wrong metadata by hand at boot, as it will not get better', async () => {
    for (const policy of [lazy, { onDiscoveryFailure: 'retry' } as const]) {
      const wrong = { metadata: { issuer: 'http://as.example' }, jwks: { keys: [] } };
      const error = await startFailure({ ...trusting(wrong), ...policy });
      expect(error.message).toContain('names the issuer "http://as.example", which uses http');
    }
  });
});

describe('a server that is down at boot', () => {
  verifies('ASM-17', 'fails startup', async () => {
    setDown(true);
    expect((await startFailure(trusting(as.issuer))).message).toMatch(
      /^An authorization server could not be/,
    );
  });

  verifies(
    ['ASM-17', 'PRM-49'],
    'is asked again by choice, with 503 until it is back and 200 from then on',
    async () => {
      setDown(true);
      const app = await startLiving([as.issuer], { onDiscoveryFailure: 'retry' });
      expect(app.log.errors[0]).toContain(`${as.origin}${OAUTH}: cannot be reached`);
      const document = await app.send(`${PRM}/notes`);
      expect(document.status).toBe(200);
      expect(document.json).toMatchObject({ resource: NOTES, authorization_servers: [as.issuer] });
      const { status, headers, json } = await app.ask(good);
      expect({ status, json }).toMatchObject({ status: 503, json: unavailable });
      expect(headers['retry-after']).toBe('5');
      expect(headers).not.toHaveProperty('www-authenticate');
      expect((await app.send('/notes')).status).toBe(401);
      expect(hits(as, OAUTH)).toBe(1);

      app.clock.forward(5);
      expect(await app.status(good)).toBe(503);
      expect(hits(as, OAUTH)).toBe(2);
      setDown(false);
      app.clock.forward(10);
      expect(await app.status(good)).toBe(200);
      expect((await app.send(`${PRM}/notes`)).text).toBe(document.text);
    },
  );

  verifies('ASM-17', 'authenticates no token by a wrong document', async () => {
    as.at(OAUTH, as.metadata({ issuer: 'https://other.example' }));
    const app = await startLiving([as.issuer], { onDiscoveryFailure: 'retry' });
    expect(await app.status(good)).toBe(503);
    app.clock.forward(60);
    expect(await app.status(good)).toBe(503);
    expect(hits(as, '/jwks')).toBe(0);
  });

  verifies('ASM-18', 'does not disable the others', async () => {
    const dead = await server('/dead');
    dead.at(`${OAUTH}/dead`, gone);
    const app = await startLiving([as.issuer, dead.issuer], { onDiscoveryFailure: 'retry' });
    expect(await app.status(good)).toBe(200);
    expect(await app.status(await lastingToken(dead))).toBe(503);
    expect((await app.send(`${PRM}/notes`)).json).toMatchObject({
      authorization_servers: [as.issuer, dead.issuer],
    });
  });
});

describe('metadata that is renewed', () => {
  verifies(
    ['F23', 'ASM-19'],
    'has a new address of keys picked up by the first token after its time',
    async () => {
      const next = await makeKey('ES256', 'next');
      const app = await startLiving([as.issuer], { metadataRefreshSeconds: HOUR });
      expect(await app.status(good)).toBe(200);
      as.at('/next', { keys: [next.publicJwk] }).at(OAUTH, as.metadata({ jwks_uri: `${as.origin}/next` }));
      const token = await lastingToken(as, { key: next });
      expect(await app.status(token)).toBe(401);
      app.clock.forward(HOUR);
      expect(await app.status(token)).toBe(200);
      expect(await app.status(good)).toBe(401);
      expect([hits(as, OAUTH), hits(as, '/next')]).toEqual([2, 1]);
    },
  );

  verifies('ASM-19', 'is discarded when it is wrong, and the old one stays', async () => {
    const canary = await server();
    const app = await startLiving([as.issuer], { metadataRefreshSeconds: HOUR });
    expect(await app.status(good)).toBe(200);
    const lies = [
      as.metadata({ issuer: canary.issuer, jwks_uri: `${canary.origin}/jwks` }),
      as.metadata({ jwks_uri: 'http://as.example/jwks' }),
      as.metadata({ jwks_uri: undefined }),
    ];
    for (const lie of lies) {
      as.at(OAUTH, lie);
      app.clock.forward(HOUR);
      expect(await app.status(good)).toBe(200);
    }
    expect(app.log.errors[0]).toBe(
      unresolved([as.issuer, mismatch(`${as.origin}${OAUTH}`, canary.issuer, as.issuer)]),
    );
    expect(app.log.errors).toHaveLength(3);
    expect(canary.paths).toEqual([]);
  });

  verifies('ASM-19', 'may not name another issuer where the first document named it', async () => {
    const metadataUrl = `${as.origin}/custom.json`;
    as.at('/custom.json', as.metadata());
    const app = await startLiving([{ metadataUrl, trustDocumentIssuer: true }], {
      metadataRefreshSeconds: HOUR,
    });
    expect(await app.status(good)).toBe(200);
    as.at('/custom.json', as.metadata({ issuer: 'https://other.example', jwks_uri: `${as.origin}/other` }));
    app.clock.forward(HOUR);
    expect(await app.status(good)).toBe(200);
    expect(await app.status(await as.token({ iss: 'https://other.example', aud: NOTES }))).toBe(401);
    expect(app.log.errors).toEqual([
      unresolved([
        as.issuer,
        `${metadataUrl}: names the issuer "https://other.example", and named "${as.issuer}" before`,
      ]),
    ]);
    expect(hits(as, '/other')).toBe(0);
  });

  verifies('ASM-19', 'serves for a day longer while the server is down', async () => {
    const app = await startLiving([{ issuer: as.issuer, remoteJwkSet: { staleMaxAgeSeconds: 86_400 } }], {
      metadataRefreshSeconds: HOUR,
    });
    expect(await app.status(good)).toBe(200);
    as.at(OAUTH, failing);
    app.clock.forward(HOUR + 86_399);
    expect(await app.status(good)).toBe(200);
    expect(app.log.warnings).toEqual([unresolved([as.issuer, `${as.origin}${OAUTH}: answered 500`])]);
    app.clock.forward(60);
    expect(await app.status(good)).toBe(503);
    setDown(false);
    app.clock.forward(60);
    expect(await app.status(good)).toBe(200);
  });
});

describe('the trust of a resource', () => {
  verifies('ASM-20', 'is in the servers that it lists', async () => {
    @Controller()
    @UseGuards(BearerAuthGuard)
    class BothController {
      @Get('notes')
      @ProtectedResource(NOTES)
      notes(): string {
        return 'notes';
      }

      @Get('admin')
      @ProtectedResource(ADMIN)
      admin(): string {
        return 'admin';
      }
    }
    const other = await server('/other');
    const resources = [
      { resource: NOTES, authorizationServers: [as.issuer] },
      { resource: ADMIN, authorizationServers: [other.issuer] },
    ];
    const app = await start({ resources }, { controllers: [BothController] });
    const status = async (path: string, token: string): Promise<number> =>
      (await app.send(path, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await status('/notes', good)).toBe(200);
    expect(await status('/notes', await other.token({ aud: NOTES }))).toBe(401);
    expect(hits(other, '/jwks')).toBe(0);
    expect(await status('/admin', await other.token({ aud: ADMIN }))).toBe(200);
    expect(await status('/admin', await as.token({ aud: ADMIN }))).toBe(401);
  });

  verifies('ASM-21', 'is in no issuer that is a template', async () => {
    const tenant = await server('/1234/v2.0');
    const template = `${tenant.origin}/{tenantid}/v2.0`;
    const location = `${OAUTH}/1234/v2.0`;
    const app = await startLiving([tenant.issuer]);
    expect(await app.status(await tenant.token({ aud: NOTES }))).toBe(200);
    expect(await app.status(await tenant.token({ aud: NOTES, iss: template }))).toBe(401);
    tenant.at(location, tenant.metadata({ issuer: template }));
    expect((await startFailure(trusting(tenant.issuer))).message).toBe(
      unresolved([tenant.issuer, mismatch(`${tenant.origin}${location}`, template, tenant.issuer)]),
    );
  });

  verifies('ASM-22', 'is in plain values only, not in signed ones', async () => {
    const canary = await server();
    const signed_metadata = await canary.token({ jwks_uri: `${canary.origin}/jwks`, iss: as.issuer });
    as.at(OAUTH, as.metadata({ signed_metadata }));
    const app = await startLiving([as.issuer]);
    expect(await app.status(good)).toBe(200);
    expect(canary.paths).toEqual([]);
  });

  verifies('ASM-22', 'causes a warning if a server lists its resources without this one', async () => {
    as.at(OAUTH, as.metadata({ protected_resources: [NOTES] }));
    expect((await startLiving([as.issuer])).log.warnings).toEqual([]);
    as.at(OAUTH, as.metadata({ protected_resources: [`${NOTES}/`] }));
    const app = await startLiving([as.issuer]);
    expect(app.log.warnings).toEqual([`${as.issuer} does not list ${NOTES} among its "protected_resources"`]);
    expect(await app.status(good)).toBe(200);
  });

  verifies('ASM-23', 'is in no self-signed certificate', async () => {
    let requests = 0;
    const tls = createTlsServer(SELF_SIGNED, (_, response) => {
      requests++;
      response.end('{}');
    });
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    closeAfterTest({
      close: () =>
        new Promise<void>((resolve) =>
          tls.close(() => {
            resolve();
          }),
        ),
    });
    const issuer = `https://127.0.0.1:${String((tls.address() as AddressInfo).port)}`;
    const { message } = await startFailure(trusting(issuer));
    // Newer versions of Node say more.
    expect(message.replace(/; if the root CA is installed[^)]*/, '')).toBe(
      down([issuer, `${issuer}${OAUTH}: cannot be reached (self-signed certificate)`]),
    );
    expect(requests).toBe(0);
    const lib = fileURLToPath(new URL('../../../lib', import.meta.url));
    const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const weak = sources.filter((name) =>
      /rejectUnauthorized|NODE_TLS/.test(readFileSync(`${lib}/${name}`, 'utf8')),
    );
    expect(weak).toEqual([]);
  });
});

describe('the diagnostics', () => {
  const diagnosticsOf = ({ app }: LivingApp): McpAuthDiagnostics =>
    app.get(McpAuthDiagnostics, { strict: false });

  verifies(['OPS-07', 'OPS-66'], 'tell status and ages: up, stale, down, and up again', async () => {
    const app = await startLiving([as.issuer], { metadataRefreshSeconds: HOUR });
    const diagnostics = diagnosticsOf(app);
    const expectOne = (isHealthy: boolean, expected: Partial<AuthorizationServerReport>): void => {
      expect(diagnostics.report()).toMatchObject({ isHealthy, authorizationServers: [expected] });
    };
    const near = (seconds: number): unknown => expect.closeTo(seconds, -1) as unknown;
    expectOne(true, { status: 'up', keysAgeSeconds: undefined, lastFailure: undefined });
    app.clock.forward(100);
    expect(await app.status(good)).toBe(200);
    app.clock.forward(100);
    expectOne(true, { issuer: as.issuer, status: 'up' });
    expect(diagnostics.report().authorizationServers[0]).toMatchObject({
      metadataAgeSeconds: near(200),
      keysAgeSeconds: near(100),
    });

    setDown(true);
    app.clock.forward(600);
    expect(await app.status(good)).toBe(200);
    expectOne(true, { status: 'stale' });
    expect(diagnostics.report().authorizationServers[0]!.lastFailure).toBe(
      `${as.origin}/jwks: cannot be reached (other side closed)`,
    );
    app.clock.forward(HOUR);
    expect(await app.status(good)).toBe(503);
    expectOne(false, { status: 'down' });
    expect(diagnostics.report().authorizationServers[0]!.nextRetrySeconds).toBeCloseTo(5, 0);

    setDown(false);
    app.clock.forward(60);
    expect(await app.status(good)).toBe(200);
    expectOne(true, { status: 'up', lastFailure: undefined });
  });

  verifies(
    'OPS-07',
    'know nothing of a server that nobody has asked, and of one that never answered',
    async () => {
      setDown(true);
      const app = await startLiving([as.issuer], { discovery: 'lazy' });
      const before = diagnosticsOf(app).report();
      expect(before).toMatchObject({
        isHealthy: true,
        authorizationServers: [
          {
            issuer: as.issuer,
            status: 'unknown',
            metadataAgeSeconds: undefined,
            keysAgeSeconds: undefined,
            lastFailure: undefined,
            nextRetrySeconds: undefined,
            mcp: undefined,
          },
        ],
      });
      await app.ask(good);
      expect(diagnosticsOf(app).report()).toMatchObject({
        isHealthy: false,
        authorizationServers: [{ status: 'down', mcp: undefined }],
      });
    },
  );

  verifies('F17', 'tell what the metadata has for MCP clients, and what it lacks', async () => {
    const successes = [
      'server_metadata_valid',
      'code_response_type_supported',
      'authorization_code_grant_supported',
      'pkce_supported',
      's256_code_challenge_method_supported',
      'registration_supported',
    ];
    const [perfect] = diagnosticsOf(await startLiving([as.issuer])).report().authorizationServers;
    expect(perfect!.mcp).toEqual({ errors: [], warnings: [], successes });
    as.at(
      OAUTH,
      as.metadata({
        registration_endpoint: undefined,
        client_id_metadata_document_supported: undefined,
        code_challenge_methods_supported: ['plain'],
      }),
    );
    const [lacking] = diagnosticsOf(await startLiving([as.issuer])).report().authorizationServers;
    expect(lacking!.mcp).toMatchObject({
      errors: [{ code: 'pkce_s256_missing' }],
      warnings: [{ code: 'registration_missing' }],
      successes: successes.slice(0, 4),
    });
  });
});

describe('the shutdown', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

  verifies('OPS-10', 'leaves nothing behind that keeps the process alive', async () => {
    const before = timers();
    const app = await startNotes(trusting(as.issuer));
    const headers = { authorization: `Bearer ${good}` };
    expect((await app.send('/notes', { headers })).status).toBe(200);
    await app.close();
    await expect.poll(timers).toBeLessThanOrEqual(before);
  });

  verifies('OPS-10', 'aborts background work without a log line', async () => {
    const app = await startLiving([as.issuer], { metadataRefreshSeconds: 60 });
    expect(await app.status(good)).toBe(200);
    setDown(true);
    app.clock.forward(600);
    expect(await app.status(good)).toBe(200);
    // Now that both are known to fail, nobody waits for them.
    const ended: Promise<unknown>[] = [];
    const hang: Listener = (request) => {
      ended.push(new Promise((resolve) => request.socket.on('close', resolve)));
    };
    as.at(OAUTH, hang).at('/jwks', hang);
    app.clock.forward(60);
    expect(await app.status(good)).toBe(200);
    await expect.poll(() => ended.length).toBe(2);
    const told = app.log.warnings.length;
    const started = performance.now();
    await app.close();
    await Promise.all(ended);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(app.log.warnings.length).toBe(told);
  });
});
