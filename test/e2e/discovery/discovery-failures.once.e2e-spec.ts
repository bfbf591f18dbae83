import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { DiscoveryError, McpAuthError } from 'nestjs-mcp-auth';
import { start } from '../../fixtures/app.js';
import type { Listener, LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { mismatch, OAUTH, OIDC, trusting, down, unresolved, WITHOUT_KEYS } from '../../fixtures/discovery.js';
import { failure, hasty } from '../../fixtures/discovery-failure.js';
import { bareServer, server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

let as: LoopbackAuthorizationServer;

beforeEach(async () => {
  as = await bareServer();
});

/** The issuer of a server that is gone: its port rejects connections. */
async function deadIssuer(): Promise<string> {
  const [issuer = ''] = await deadIssuers(1);
  return issuer;
}

/** Closed after all have started, as a free port may be given out again. */
async function deadIssuers(count: number): Promise<string[]> {
  const gone = await Promise.all(Array.from({ length: count }, () => server()));
  await Promise.all(gone.map((each) => each.close()));
  return gone.map(({ issuer }) => issuer);
}

describe('a document of another issuer', () => {
  verifies(['ASM-04', 'F06'], 'is rejected with both issuers named, and ends the search', async () => {
    const configured = await bareServer('/tenant1');
    const { issuer, origin } = configured;
    const canary = await bareServer();
    const others = [
      `${issuer}/`,
      issuer.replace('tenant1', 'Tenant1'),
      issuer.replace('http:', 'HTTP:'),
      issuer.replace('127.0.0.1', 'localhost'),
      canary.issuer,
    ];
    for (const other of others) {
      configured.requests.length = 0;
      configured.at(`${OAUTH}/tenant1`, configured.metadata({ issuer: other }));
      configured.at(`${OIDC}/tenant1`, configured.metadata());
      const error = await failure(trusting(issuer));
      expect(error.message).toBe(unresolved([issuer, mismatch(`${origin}${OAUTH}/tenant1`, other, issuer)]));
      expect(configured.paths).toEqual([`${OAUTH}/tenant1`]);
    }
    expect(canary.paths).toEqual([]);

    configured.at(`${OAUTH}/tenant1`, configured.metadata());
    await start(trusting(issuer));
  });

  it.each([
    ['no issuer', undefined],
    ['an issuer that is no string', ['https://as.example']],
  ])('is rejected with %s', async (_, issuer) => {
    as.at(OAUTH, as.metadata({ issuer }));
    expect((await failure(trusting(as.issuer))).message).toBe(
      unresolved([as.issuer, `${as.origin}${OAUTH}: has no "issuer"`]),
    );
  });
});

describe('a document without keys', () => {
  it('is rejected, and accepted with the keys beside it', async () => {
    as.at(OAUTH, as.metadata({ jwks_uri: undefined }));
    expect((await failure(trusting(as.issuer))).message).toBe(
      unresolved([as.issuer, `${as.origin}${OAUTH}: ${WITHOUT_KEYS}`]),
    );
    const jwks = { keys: [as.key.publicJwk] };
    await start(trusting({ issuer: as.issuer, jwks }));
  });
});

describe('the next location', () => {
  const NOTHING_HERE: [string, number, string, string][] = [
    ['404', 404, '', 'answered 404'],
    ['401', 401, '', 'answered 401'],
    ['204', 204, '', 'answered 204, not 200'],
    ['HTML', 200, '<!doctype html><title>Log in</title>', 'answered 200 with something that is not JSON'],
    ['an empty body', 200, '', 'answered 200 with something that is not JSON'],
    ['[]', 200, '[]', 'answered 200 with JSON that is not an object'],
    ['null', 200, 'null', 'answered 200 with JSON that is not an object'],
    ['a string', 200, '"{}"', 'answered 200 with JSON that is not an object'],
  ];

  verifies(['ASM-06', 'ASM-09'], 'is asked if the first has no document', async () => {
    for (const [, status, body, detail] of NOTHING_HERE) {
      as.requests.length = 0;
      as.at(OAUTH, (_, response) => response.writeHead(status).end(body));
      as.at(OIDC, as.metadata());
      await start(trusting(as.issuer));
      expect(as.paths).toEqual([OAUTH, OIDC]);

      as.at(OIDC, (_, response) => response.writeHead(404).end());
      expect((await failure(trusting(as.issuer))).message).toBe(
        unresolved([as.issuer, `${as.origin}${OAUTH}: ${detail}`, `${as.origin}${OIDC}: answered 404`]),
      );
    }
  });

  verifies('ASM-06', 'is not asked if the first fails', async () => {
    as.at(OIDC, as.metadata());
    for (const status of [500, 502, 503]) {
      as.requests.length = 0;
      as.at(OAUTH, (_, response) => response.writeHead(status).end(JSON.stringify(as.metadata())));
      expect((await failure(trusting(as.issuer))).message).toBe(
        down([as.issuer, `${as.origin}${OAUTH}: answered ${status}`]),
      );
      expect(as.paths).toEqual([OAUTH]);
    }
  });

  verifies('ASM-06', 'is not asked if the connection breaks or no answer comes', async () => {
    as.at(OIDC, as.metadata());
    as.at(OAUTH, (request) => request.socket.destroy());
    const broken = await failure(trusting(as.issuer));
    expect(broken.message).toBe(
      down([as.issuer, `${as.origin}${OAUTH}: cannot be reached (other side closed)`]),
    );
    as.at(OAUTH, () => undefined);
    const silent = await failure(hasty(as.issuer));
    expect(silent.message).toBe(
      down([as.issuer, `${as.origin}${OAUTH}: no complete answer within the time limit`]),
    );
    expect(as.paths.filter((path) => path !== OAUTH)).toEqual([]);
  });

  verifies(
    'ASM-09',
    'is not asked if the first is JSON with status 200, whatever its media type',
    async () => {
      as.at(OAUTH, (_, response) => {
        response.writeHead(200, { 'content-type': 'text/plain' }).end(JSON.stringify(as.metadata()));
      });
      await start(trusting(as.issuer));
      expect(as.paths).toEqual([OAUTH]);

      as.at(OAUTH, (_, response) => {
        response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(as.metadata()));
      });
      expect((await failure(trusting(as.issuer))).message).toBe(
        unresolved([
          as.issuer,
          `${as.origin}${OAUTH}: answered 201, not 200`,
          `${as.origin}${OIDC}: answered 404`,
        ]),
      );
    },
  );
});

describe('several authorization servers', () => {
  verifies('F19', 'fail startup together, each named with what was tried', async () => {
    const [first = '', second = ''] = await deadIssuers(2);
    const good = await server();
    const rejected = (issuer: string): string =>
      `${issuer}${OAUTH}: cannot be reached (connect ECONNREFUSED ${new URL(issuer).host})`;
    const error = await failure(trusting(first, good.issuer, second));
    expect(error.message).toBe(down([first, rejected(first)], [second, rejected(second)]));
    expect(error.failures.map(({ server: name }) => name)).toEqual([first, second]);

    await start(trusting(good.issuer));
  });

  verifies('F19', 'are each named if their metadata is given by hand', async () => {
    const resources = ['notes', 'admin'].map((name) => ({
      resource: `https://api.example.com/${name}`,
      authorizationServers: [{ metadata: { issuer: 'https://as.example' } }],
    }));
    expect((await failure({ resources })).message).toBe(
      unresolved(
        ['the metadata given by hand for https://api.example.com/notes', WITHOUT_KEYS],
        ['the metadata given by hand for https://api.example.com/admin', WITHOUT_KEYS],
      ),
    );
  });

  it('are named once when two resources trust the same one, with all that was tried', async () => {
    const resources = (['oauth', 'oidc', 'oauth'] as const).map((type, index) => ({
      resource: `https://api.example.com/${index}`,
      authorizationServers: [{ issuer: as.issuer, type }],
    }));
    expect((await failure({ resources })).message).toBe(
      unresolved([as.issuer, `${as.origin}${OAUTH}: answered 404`, `${as.origin}${OIDC}: answered 404`]),
    );
  });

  it('are asked at the same time', async () => {
    const servers = await Promise.all([1, 2, 3, 4, 5].map(() => bareServer()));
    const asked: number[] = [];
    const answered: number[] = [];
    for (const each of servers) {
      each.at(OAUTH, (_, response) => {
        asked.push(performance.now());
        setTimeout(() => {
          answered.push(performance.now());
          response.end(JSON.stringify(each.metadata()));
        }, 300);
      });
    }
    await start(trusting(...servers.map(({ issuer }) => issuer)));
    expect([asked.length, answered.length]).toEqual([5, 5]);
    expect(Math.max(...asked)).toBeLessThan(Math.min(...answered));
    expect(Math.max(...answered) - Math.min(...asked)).toBeLessThan(900);
  });

  it('share one limit of time', async () => {
    const silent = await Promise.all(['/a', '/b', '/c'].map((path) => bareServer(path)));
    for (const each of silent) each.at(`${OAUTH}${new URL(each.issuer).pathname}`, () => undefined);
    const error = await failure(hasty(...silent.map(({ issuer }) => issuer)));
    expect(error.failures).toHaveLength(3);
  });
});

describe('the error', () => {
  verifies('F21', 'is one class with a code, whose cause is what happened at each location', async () => {
    const dead = await deadIssuer();
    const cases: [string, DiscoveryError['failure'], Listener | undefined][] = [
      [dead, 'unreachable', undefined],
      [as.issuer, 'not_json', (_, response) => response.end('<html>')],
      [as.issuer, 'not_json', (_, response) => response.end('[]')],
      [as.issuer, 'server_error', (_, response) => response.writeHead(500).end()],
      [as.issuer, 'not_found', (_, response) => response.writeHead(404).end()],
      [as.issuer, 'redirected', (_, response) => response.writeHead(302, { location: '/' }).end()],
      [as.issuer, 'issuer_mismatch', (_, response) => response.end('{"issuer":"https://as.example"}')],
      [as.issuer, 'metadata_invalid', (_, response) => response.end(`{"issuer":"${as.issuer}"}`)],
      [as.issuer, 'timeout', () => undefined],
    ];
    for (const [issuer, kind, listener] of cases) {
      if (listener) as.at(OAUTH, listener);
      const error = await failure((kind === 'timeout' ? hasty : trusting)({ issuer, type: 'oauth' }));
      const { attempts } = error.failures[0]!;
      expect(attempts).toEqual([expect.objectContaining({ failure: kind, url: `${issuer}${OAUTH}` })]);
      expect(attempts[0]).toBeInstanceOf(DiscoveryError);
      expect(error).toBeInstanceOf(McpAuthError);
      expect(error).toMatchObject({
        name: 'BootstrapDiscoveryError',
        code: 'ERR_MCP_AUTH_DISCOVERY',
        cause: attempts,
      });
    }
  });

  verifies(
    'WAY-24',
    'suggests to retry only where nothing else is wrong, and where that can be done',
    async () => {
      const down = await deadIssuer();
      const wrong = await server();
      wrong.at(OAUTH, wrong.metadata({ issuer: `${wrong.issuer}/other` }));
      const advice = 'set the option "onDiscoveryFailure" to "retry"';
      expect((await failure(trusting(down))).message).toContain(advice);
      expect((await failure(trusting(wrong.issuer))).message).not.toContain(advice);
      expect((await failure(trusting(down, wrong.issuer))).message).not.toContain(advice);
      const nameless = { metadataUrl: `${down}${OAUTH}`, trustDocumentIssuer: true };
      expect((await failure(trusting(nameless))).message).not.toContain(advice);
    },
  );

  verifies('WAY-24', 'is printed with its message and one stack, not those of its causes', async () => {
    const issuers = [await deadIssuer(), await deadIssuer(), await deadIssuer()];
    const error = await failure(trusting(...issuers));
    for (const printed of [inspect(error), inspect({ error }, { depth: 9 })]) {
      expect(printed).toContain(error.message.split('\n')[1]);
      expect(printed.split('\n').length).toBeLessThan(error.message.split('\n').length + 15);
      expect(printed).not.toContain('TypeError: fetch failed');
    }
    expect(error.failures).toHaveLength(3);
    expect(error.cause).toHaveLength(3);
  });

  verifies('F21', 'keeps the reason of the network', async () => {
    const error = await failure(trusting(await deadIssuer()));
    const { cause } = error.failures[0]!.attempts[0]!;
    expect(cause).toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});
