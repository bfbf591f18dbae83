import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { NOTES } from '../../fixtures/resources.js';
import {
  clientOf,
  OPERATIONS,
  startTransport,
  type TransportClient,
} from '../../fixtures/transport-operations.js';
import { ran } from '../../fixtures/transport-servers.js';
import { TRANSPORTS } from '../../fixtures/transports.js';
import { verifies } from '../../verifies.js';

const PAGE = 'https://app.example';
const [TOOL] = OPERATIONS;

/** Where the resource is the endpoint's own URL, and where a proxy takes a part of its path away. */
const RESOURCES = [NOTES, NOTES.replace('/notes', '/api/notes')];

const rows = PLATFORMS.flatMap((platform) =>
  RESOURCES.flatMap((resource) =>
    // Early authentication goes by the path of the resource itself.
    TRANSPORTS.filter(({ options }) => resource === NOTES || !options?.earlyAuthentication).map(
      (transport) => ({
        row: `${transport.name}, ${transport.era}, for ${resource} on ${platform}`,
        transport,
        resource,
        platform,
      }),
    ),
  ),
);

/** The SDK answers on Node's own response, so what only the platform's response holds would be lost. */
describe.each(rows)('pages of browsers at $row', ({ transport, resource, platform }) => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  let client: TransportClient;
  const token = (scope: string) => as.token({ aud: resource, scope });

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const place = { issuer: as.issuer, resource, allowedOrigins: [PAGE] };
    app = await startTransport(place, transport, platform);
    client = await clientOf(app, transport, await token('notes:read'));
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  beforeEach(() => {
    ran.length = 0;
  });

  verifies(
    ['ORG-07', 'CHL-19'],
    'can read answers and rejections if their origin is allowed, and none otherwise',
    async () => {
      for (const scope of ['notes:read', 'notes:read notes:write']) {
        const { headers } = await client.ask(await token(scope), TOOL!, { origin: PAGE });
        expect([scope, headers['access-control-allow-origin'], headers.vary]).toEqual([
          scope,
          PAGE,
          expect.stringContaining('Origin'),
        ]);
        expect(headers['access-control-expose-headers']).toMatch(/WWW-Authenticate.*Mcp-Session-Id/);
      }
      expect(ran).toEqual(['write']);
      for (const origin of [`${PAGE}.evil.example`, 'http://app.example', 'null']) {
        const answer = await client.ask(await token('notes:read notes:write'), TOOL!, { origin });
        expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
      }
      expect(ran).toEqual(['write']);
    },
  );
});
