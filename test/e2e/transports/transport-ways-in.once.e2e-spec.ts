import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { toolCall } from '../../fixtures/mcp-endpoint.js';
import { NOTES } from '../../fixtures/resources.js';
import {
  asModern,
  clientOf,
  startTransport,
  type TransportClient,
} from '../../fixtures/transport-operations.js';
import { ran } from '../../fixtures/transport-servers.js';
import { TRANSPORTS } from '../../fixtures/transports.js';
import { verifies } from '../../verifies.js';

const rows = PLATFORMS.flatMap((platform) =>
  TRANSPORTS.map((transport) => ({
    row: `${transport.name}, ${transport.era}, on ${platform}`,
    transport,
    platform,
  })),
);

const CALL = toolCall('purge');
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** Bodies that some reader takes for the same call: what is sent, and what the headers say of it. */
const disguises = (text: string): [string, string | Buffer, Record<string, string>][] => [
  ['gzip', gzipSync(text), { ...JSON_TYPE, 'content-encoding': 'gzip' }],
  ['identity', text, { ...JSON_TYPE, 'content-encoding': 'identity' }],
  ['UTF-16', Buffer.from(text, 'utf16le'), { 'content-type': 'application/json; charset=utf-16le' }],
  ['Latin-1', text, { 'content-type': 'application/json; charset=latin1' }],
  ['no type', text, {}],
  ['another JSON type', text, { 'content-type': 'application/vnd.api+json' }],
  ['two types', text, { 'content-type': 'text/plain, application/json' }],
  ['plain text', text, { 'content-type': 'text/plain' }],
  ['a form', 'jsonrpc=2.0&id=1&method=tools/call&params[name]=purge', FORM_TYPE],
];

const METHODS = ['PUT', 'PATCH', 'DELETE', 'GET', 'HEAD', 'QUERY'];

describe.each(rows)('ways in at $row', ({ transport, platform }) => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  let client: TransportClient;
  const token = (scope: string) => as.token({ aud: NOTES, scope });
  const path = transport.isPlain ? '/notes/purge' : '/notes';
  const { body, headers } =
    transport.era === '2026-07-28' ? asModern(CALL) : { body: CALL, headers: {} as Record<string, string> };

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    app = await startTransport(as, transport, platform);
    client = await clientOf(app, transport, await token('notes:read'));
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  beforeEach(() => {
    ran.length = 0;
  });

  /** The same call runs with its scope. */
  async function expectAdminCalls(): Promise<void> {
    const admin = await token('notes:read notes:admin');
    const { status } = await client.send(admin, path, 'POST', JSON.stringify(body), {
      ...headers,
      ...JSON_TYPE,
    });
    expect([status, ran]).toEqual([200, ['purge']]);
  }

  verifies(
    ['SCP-12', 'SCP-01'],
    'lead past no scope, whatever the type and encoding of the body',
    async () => {
      const reader = await token('notes:read');
      for (const [name, sent, type] of disguises(JSON.stringify(body))) {
        const { status } = await client.send(reader, path, 'POST', sent, { ...headers, ...type });
        expect([name, ran]).toEqual([name, []]);
        // What a client sends wrong is no fault of the server.
        expect([name, status < 500]).toEqual([name, true]);
      }
      await expectAdminCalls();
    },
  );

  verifies(['SCP-12', 'SCP-01'], 'lead past no scope, whatever the method and the path', async () => {
    const reader = await token('notes:read');
    const text = JSON.stringify(body);
    // By default, Node sends the length of a body with some methods only.
    const json = { ...headers, ...JSON_TYPE, 'content-length': String(Buffer.byteLength(text)) };
    for (const method of METHODS) {
      for (const override of ['', 'POST']) {
        await client.send(reader, path, method, text, { ...json, 'x-http-method-override': override });
        expect([method, ran]).toEqual([method, []]);
      }
    }
    const paths = [`${path}/`, path.toUpperCase(), `${path}?a=b`, `${path}#x`, `/${path}`, `/x/..${path}`];
    for (const other of [...paths, path.replace('/n', '/%6e'), `${path};x`, `${path}%2f`]) {
      await client.send(reader, other, 'POST', text, json);
      expect([other, ran]).toEqual([other, []]);
    }
    await expectAdminCalls();
  });
});
