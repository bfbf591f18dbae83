import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { PLATFORMS, type RunningApp } from '../fixtures/app.js';
import { type Connect, connectV1, connectV2, CREDENTIALS } from '../fixtures/official-clients.js';
import { startTransport } from '../fixtures/transport-operations.js';
import { ran } from '../fixtures/transport-servers.js';
import { TRANSPORTS } from '../fixtures/transports.js';
import { verifies } from '../verifies.js';

/** Those that MCP clients connect to; of which revision is for the client to choose. */
const SERVERS = new Map(TRANSPORTS.filter(({ isPlain }) => !isPlain).map((each) => [each.name, each]));

const SPEAK_2026 = new Set(TRANSPORTS.filter(({ era }) => era === '2026-07-28').map(({ name }) => name));

/** The official clients, and whether they speak MCP 2026-07-28 to a server that does. */
const CLIENTS: readonly (readonly [string, Connect, boolean])[] = [
  ['v1', connectV1, false],
  ['v2', (endpoint) => connectV2(endpoint), true],
  ['v2 of the older revisions', (endpoint) => connectV2(endpoint, 'legacy'), false],
];

const sorted = (scopes: string): string => scopes.split(' ').sort().join(' ');

/** A real authorization server: consent, PKCE, tokens for the scopes that were asked for and no others. */
let server: RunningAuthorizationServer;
const scopes = ['notes:read', 'notes:write', 'notes:admin'];
const resources: Record<string, string[]> = {};

beforeAll(async () => {
  server = await startAuthorizationServer({ port: 0, resources: () => resources, ...CREDENTIALS });
});

afterAll(() => server.close());

describe.each(PLATFORMS)('step-up on %s', (platform) => {
  describe.each([...SERVERS])('at %s', (_, transport) => {
    let resource: string;
    let app: RunningApp;

    beforeAll(async () => {
      const port = await freePort();
      resource = `http://127.0.0.1:${String(port)}/notes`;
      resources[resource] = scopes;
      app = await startTransport({ issuer: server.issuer, resource, port }, transport, platform);
    });

    afterAll(() => app.close());

    beforeEach(() => {
      ran.length = 0;
    });

    /** A client that keeps what it has is asked for what it lacks, and any other for both. */
    async function stepUpWith(connect: Connect, keeps: boolean): Promise<void> {
      const client = await connect(resource);
      const expectHeld = (...held: string[]): void => {
        expect(client.scopes()).toEqual([...held].sort());
        const asked = held.slice(1).map((scope, at) => (keeps ? scope : held.slice(0, at + 2).join(' ')));
        expect(client.challenged.map(sorted)).toEqual(asked.map(sorted));
      };
      expect(await client.call('list')).toBe('list');
      expectHeld('notes:read');
      expect(await client.call('write')).toBe('write');
      expectHeld('notes:read', 'notes:write');
      expect(await client.call('purge')).toBe('purge');
      expectHeld('notes:read', 'notes:write', 'notes:admin');
      for (const tool of ['list', 'write', 'purge']) expect(await client.call(tool)).toBe(tool);
      expectHeld('notes:read', 'notes:write', 'notes:admin');
      expect(ran).toEqual(['list', 'write', 'purge', 'list', 'write', 'purge']);
      await client.close();
    }

    for (const [name, connect, isNew] of CLIENTS) {
      verifies(
        ['SCP-02', 'SCP-09', 'F70'],
        `the official client ${name} gets the wider token, calls once, and keeps what it had`,
        () => stepUpWith(connect, isNew && SPEAK_2026.has(transport.name)),
      );
    }
  });
});
