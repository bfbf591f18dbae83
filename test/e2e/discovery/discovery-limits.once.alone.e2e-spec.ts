import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { start, startFailure } from '../../fixtures/app.js';
import type { Listener, LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { OAUTH, OIDC, trusting, down, unresolved } from '../../fixtures/discovery.js';
import { failure, hasty, SHORT_MS } from '../../fixtures/discovery-failure.js';
import { bareServer } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

let as: LoopbackAuthorizationServer;

beforeEach(async () => {
  as = await bareServer();
});

afterEach(() => {
  vi.restoreAllMocks();
});

const json: Listener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(as.metadata()));
};

describe('limits', () => {
  verifies(['ASM-07', 'F20'], 'follow no redirect, to another server or to the same', async () => {
    const canary = await bareServer();
    canary.at('/metadata', as.metadata()).at(OAUTH, as.metadata());
    as.at('/metadata', as.metadata()).at(OIDC, as.metadata());
    for (const status of [301, 302, 303, 307, 308]) {
      for (const location of [`${canary.origin}/metadata`, '/metadata']) {
        as.requests.length = 0;
        as.at(OAUTH, (_, response) => response.writeHead(status, { location }).end());
        expect((await failure(trusting(as.issuer))).message).toBe(
          unresolved([
            as.issuer,
            `${as.origin}${OAUTH}: answered with a redirect; redirects are not followed`,
          ]),
        );
        expect(as.paths).toEqual([OAUTH]);
      }
    }
    expect(canary.paths).toEqual([]);
  });

  verifies(['ASM-08', 'F20', 'F19'], 'end the wait for a server that hangs or drips', async () => {
    const drip: Listener = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => {
        clearInterval(timer);
      });
    };
    const headersOnly: Listener = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    };
    for (const listener of [() => undefined, headersOnly, drip]) {
      as.at(OAUTH, listener);
      const error = await failure(hasty(as.issuer));
      expect(error.message).toBe(
        down([as.issuer, `${as.origin}${OAUTH}: no complete answer within the time limit`]),
      );
      expect(error.failures[0]!.attempts[0]).toMatchObject({ failure: 'timeout' });
    }
  });

  verifies('ASM-08', 'leave a server its time', async () => {
    as.at(OAUTH, (request, response) => {
      setTimeout(() => {
        json(request, response);
      }, 100);
    });
    await start(trusting(as.issuer));
  });

  verifies('ASM-08', 'end the wait for a function, with an error and not in silence', async () => {
    as.at(OAUTH, as.metadata());
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const transpileData = () => new Promise<never>(() => undefined);
    const error = await failure(hasty({ issuer: as.issuer, transpileData }));
    expect(error.message).toBe(
      down([as.issuer, `${as.origin}${OAUTH}: "transpileData" did not end in time`]),
    );
    // A timer without reference would let the process end before the limit, and nothing would be said.
    const limit = timers.mock.calls.findIndex(([, delay]) => delay === SHORT_MS);
    expect(timers.mock.results[limit]).toMatchObject({ type: 'return' });
    expect((timers.mock.results[limit]!.value as NodeJS.Timeout).hasRef()).toBe(true);
  });

  verifies('ASM-08', 'hold for a fetch that ignores its signal', async () => {
    const deaf = () => new Promise<never>(() => undefined);
    const error = await failure({ ...hasty(as.issuer), fetch: deaf });
    expect(error.message).toBe(
      down([as.issuer, `${as.origin}${OAUTH}: no complete answer within the time limit`]),
    );
    expect(as.paths).toEqual([]);
  });

  verifies(['ASM-08', 'F20'], 'stop reading a body beyond 1 MiB', async () => {
    const CHUNK = Buffer.alloc(65_536, ' ');
    let written = 0;
    as.at(OAUTH, (_, response) => {
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
    const error = await failure(trusting(as.issuer));
    expect(error.message).toBe(unresolved([as.issuer, `${as.origin}${OAUTH}: is larger than 1048576 bytes`]));
    expect(written).toBeLessThan(16 * 1_048_576);
  });

  verifies('ASM-08', 'are exact to the byte', async () => {
    const padded = (size: number): Listener => {
      const document = JSON.stringify(as.metadata());
      return (_, response) => response.end(document.padEnd(size, ' '));
    };
    as.at(OAUTH, padded(1_048_576));
    await start(trusting(as.issuer));
    as.at(OAUTH, padded(1_048_577));
    const error = await failure(trusting(as.issuer));
    expect(error.message).toBe(unresolved([as.issuer, `${as.origin}${OAUTH}: is larger than 1048576 bytes`]));
  });
});

describe('the scheme', () => {
  verifies('F20', 'is https, or http on loopback, for every request', async () => {
    const issuer = 'http://as.example';
    const message = 'uses http for another machine; use https';
    const path = '  - resources[0].authorizationServers[0]';
    const byIssuer = await startFailure(trusting(issuer));
    expect(byIssuer.message).toBe(
      `McpAuthModule has 1 problem:\n${path}.issuer: ${message}; got "${issuer}"`,
    );
    const metadataUrl = `${issuer}/metadata`;
    const byUrl = await startFailure(trusting({ metadataUrl, issuer: 'https://as.example' }));
    expect(byUrl.message).toBe(
      `McpAuthModule has 1 problem:\n${path}.metadataUrl: ${message}; got "${metadataUrl}"`,
    );
    as.at(OAUTH, as.metadata({ jwks_uri: `${issuer}/jwks` }));
    const byDocument = await failure(trusting(as.issuer));
    expect(byDocument.message).toBe(
      unresolved([as.issuer, `${as.origin}${OAUTH}: has the "jwks_uri" "${issuer}/jwks", which ${message}`]),
    );
    as.at(OAUTH, as.metadata({ jwks_uri: 'https://as.example/jwks' }));
    await start(trusting(as.issuer));
  });
});
