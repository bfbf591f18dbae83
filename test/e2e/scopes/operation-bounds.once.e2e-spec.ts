import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import type { McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { problems } from '../../fixtures/config-problems.js';
import { MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { message } from '../../fixtures/operations-app.js';
import { NOTES, offlineResource } from '../../fixtures/resources.js';
import { ran } from '../../fixtures/transport-servers.js';
import { TRANSPORTS } from '../../fixtures/transports.js';
import { verifies } from '../../verifies.js';

const [transport] = TRANSPORTS;

const TOO_LARGE = {
  status: 400,
  challenge: undefined,
  json: {
    jsonrpc: '2.0',
    id: null,
    error: {
      code: -32600,
      message: 'The request asks for too many operations at once',
      data: {
        error: 'invalid_request',
        error_description: 'The request asks for too many operations at once',
      },
    },
  },
};

describe.each(PLATFORMS)('a request for many operations, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  beforeEach(() => {
    ran.length = 0;
  });

  async function started(more: Partial<McpAuthModuleOptions> = {}): Promise<RunningApp> {
    const { prepare, ...parts } = transport!.make();
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    return closeAfterTest(await startApp({ resources, ...more }, { ...parts, prepare, platform }));
  }

  const poster = async (app: RunningApp) => {
    const bearer = await as.token({ aud: NOTES, scope: 'notes:read' });
    return (body: unknown, version = '2025-03-26') =>
      app.send('/notes', {
        method: 'POST',
        headers: { ...MCP_HEADERS, authorization: `Bearer ${bearer}`, 'mcp-protocol-version': version },
        body,
      });
  };

  const listen = (uris: readonly string[]) =>
    message('subscriptions/listen', { notifications: { resourceSubscriptions: uris } });
  const uris = (count: number) => Array.from({ length: count }, (_, index) => `x://${String(index)}`);
  const calls = (count: number) => Array.from({ length: count }, (_, index) => toolCall('list', index));

  /** With the id of a single message. */
  const tooLarge = (id: number | null) => ({ ...TOO_LARGE, json: { ...TOO_LARGE.json, id } });

  verifies('WAY-13', 'is served up to 100, and 400 beyond', async () => {
    const post = await poster(await started());
    // A transport may have a bound of its own.
    expect(rejectedAs(await post(calls(100)))).not.toEqual(tooLarge(null));
    ran.length = 0;
    expect(rejectedAs(await post(calls(101)))).toEqual(tooLarge(null));
    expect((await post(listen(uris(100)))).status).not.toBe(400);
    expect(rejectedAs(await post(listen(uris(101))))).toEqual(tooLarge(1));
    expect(rejectedAs(await post([...calls(50), listen(uris(51))]))).toEqual(tooLarge(null));
    expect(ran).toEqual([]);
    // Messages that run no handler do not count.
    const pings = Array.from({ length: 200 }, () => message('ping', {}));
    expect(rejectedAs(await post(pings))).not.toEqual(tooLarge(null));
  });

  verifies('WAY-13', 'counts a resource once, and the characters of its URI', async () => {
    const post = await poster(await started());
    expect((await post(listen(Array.from({ length: 500 }, () => 'x://1')))).status).not.toBe(400);
    const long = (length: number) => message('resources/read', { uri: `x://${'a'.repeat(length - 4)}` });
    expect((await post(long(65_536))).status).toBe(200);
    expect(rejectedAs(await post(long(65_537)))).toEqual(tooLarge(1));
  });

  verifies('WAY-13', 'is rejected at once, for anonymous callers too', async () => {
    const resources = { resource: NOTES, authorizationServers: [as.issuer], allowAnonymous: true };
    const app = await started({ resources });
    const begin = performance.now();
    const answer = await app.send('/notes', {
      method: 'POST',
      headers: MCP_HEADERS,
      body: listen(uris(6000)),
    });
    expect(rejectedAs(answer)).toEqual(tooLarge(1));
    expect(performance.now() - begin).toBeLessThan(500);
  });

  verifies('WAY-13', 'is bounded by the option maxOperations', async () => {
    const post = await poster(await started({ maxOperations: 2 }));
    expect((await post(calls(2))).status).toBe(200);
    expect(rejectedAs(await post(calls(3)))).toEqual(tooLarge(null));
  });
});

describe('maxOperations', () => {
  verifies('WAY-13', 'is from 1 to 10,000', async () => {
    for (const maxOperations of [0, 10_001, 1.5, '100']) {
      const options = { resources: offlineResource(NOTES), maxOperations } as unknown as McpAuthModuleOptions;
      expect([maxOperations, await problems(options)]).toEqual([
        maxOperations,
        expect.stringContaining('maxOperations') as string,
      ]);
    }
  });
});
