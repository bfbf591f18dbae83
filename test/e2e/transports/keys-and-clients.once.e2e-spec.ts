import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import type { McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { createApp, PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { INITIALIZE, toolCall } from '../../fixtures/mcp-endpoint.js';
import { MOUNTINGS } from '../../fixtures/mountings.js';
import { notesRejections, type Rejected, rejectedAs } from '../../fixtures/notes-rejections.js';
import { message } from '../../fixtures/operations-app.js';
import { NOTES } from '../../fixtures/resources.js';
import { asModern } from '../../fixtures/transport-operations.js';
import { ran } from '../../fixtures/transport-servers.js';
import { type Transport, TRANSPORTS } from '../../fixtures/transports.js';
import { ran as mounted } from '../../fixtures/who.controller.js';
import { verifies } from '../../verifies.js';

const { noToken, invalidToken, insufficientScope, severalCredentials } = notesRejections('notes:read');

const REFUSED: Rejected = {
  status: 403,
  challenge: undefined,
  json: { error: 'access_denied', error_description: 'This client is not allowed to use this resource' },
};

/** Keys say of themselves who has them, for which client and with which scopes. */
const verifier = (key: string) => {
  const [kind, sub, clientId, ...scopes] = key.split('|');
  return kind === 'key' ? { sub, client_id: clientId, aud: NOTES, scope: scopes.join(' ') } : null;
};
const keyOf = (sub: string, client: string, scope: string): string =>
  ['key', sub, client, ...scope.split(' ')].join('|');

let as: LoopbackAuthorizationServer;

const options = (more: Partial<McpAuthModuleOptions> = {}): McpAuthModuleOptions => ({
  resources: {
    resource: NOTES,
    authorizationServers: [as.issuer],
    requiredScopes: ['notes:read'],
    apiKeys: { issuer: 'urn:example:keys', verifier },
    allowedClients: { clientIds: ['cli'], origins: ['https://good.example'] },
  },
  ...more,
});

const CLIENTS = ['other', 'CLI', '', 'https://good.example.evil.com/c', 'https://good.example@evil.com/c'];
const READ = 'notes:read';
const BOTH = 'notes:read notes:write';
const token = (client_id: unknown, scope = BOTH, more: object = {}): Promise<string> =>
  as.token({ aud: NOTES, scope, client_id, ...more });
const bearer = async (...args: Parameters<typeof token>): Promise<Record<string, string>> => ({
  authorization: `Bearer ${await token(...args)}`,
});
const apiKey = (...args: Parameters<typeof keyOf>): Record<string, string> => ({
  'x-api-key': keyOf(...args),
});

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.length = 0;
  mounted.count = 0;
});

// Each on one of the platforms, by turns.
const rows = TRANSPORTS.map((transport, index) => {
  const platform = PLATFORMS[index % 2] ?? 'express';
  return { row: `${transport.name}, ${transport.era}, on ${platform}`, transport, platform };
});

describe.each(rows)('at $row', ({ transport, platform }) => {
  let app: RunningApp;

  beforeAll(async () => {
    app = await createApp(options(transport.options), { ...transport.make(), platform });
  });

  afterAll(() => app.close());

  const post = (body: object, headers: Record<string, string>, method = 'POST'): Promise<HttpAnswer> =>
    app.send('/notes', {
      method,
      ...(method === 'POST' && { body }),
      headers: {
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': transport.era,
        ...headers,
      },
    });

  const ask = (message_: object, headers: Record<string, string>): Promise<HttpAnswer> => {
    if (transport.era === '2025-11-25') return post(message_, headers);
    const modern = asModern(message_);
    return post(modern.body, { ...modern.headers, ...headers });
  };

  /** Calls the tool, in a session if the transport has some. */
  async function write(credential: Record<string, string>): Promise<HttpAnswer> {
    if (transport.isPlain) return app.send('/notes/write', { method: 'POST', body: {}, headers: credential });
    return ask(toolCall('write'), { ...credential, ...(await session(credential, transport)) });
  }

  async function session(
    credential: Record<string, string>,
    { hasSessions }: Pick<Transport, 'hasSessions'>,
  ): Promise<Record<string, string>> {
    if (!hasSessions) return {};
    const { headers } = await post(INITIALIZE, credential);
    const id = headers['mcp-session-id'];
    return typeof id === 'string' ? { 'mcp-session-id': id } : {};
  }

  verifies('AKY-16', 'a key calls a tool with its scopes, and without them gets the challenge', async () => {
    const needed = transport.era === '2026-07-28' ? 'notes:write' : BOTH;
    const answer = await write(apiKey('ada', 'cli', BOTH));
    expect([answer.status, ran]).toEqual([200, ['write']]);
    ran.length = 0;
    expect(rejectedAs(await write(apiKey('ada', 'cli', READ)))).toEqual(insufficientScope(needed));
    expect(rejectedAs(await write({ 'x-api-key': 'wrong' }))).toEqual(invalidToken);
    expect(rejectedAs(await write({ authorization: `Bearer ${keyOf('ada', 'cli', BOTH)}` }))).toEqual(
      invalidToken,
    );
    const two = { ...apiKey('ada', 'cli', BOTH), ...(await bearer('cli')) };
    expect(rejectedAs(await write(two))).toEqual(severalCredentials);
    expect(ran).toEqual([]);
  });

  verifies(['CRL-06', 'CRL-03'], 'a client that is not allowed gets 403, whatever its scopes', async () => {
    for (const client of ['cli', 'https://good.example/c']) {
      expect([client, (await write(await bearer(client))).status, ran.splice(0)]).toEqual([
        client,
        200,
        ['write'],
      ]);
    }
    for (const client of CLIENTS)
      expect([client, rejectedAs(await write(await bearer(client)))]).toEqual([client, REFUSED]);
    for (const scope of [READ, ''])
      expect([scope, rejectedAs(await write(await bearer('other', scope)))]).toEqual([scope, REFUSED]);
    expect(rejectedAs(await write(await bearer('other', BOTH, { exp: 1 })))).toEqual(invalidToken);
    expect(rejectedAs(await write(apiKey('ada', 'other', BOTH)))).toEqual(REFUSED);
    expect(ran).toEqual([]);
  });

  if (transport.isPlain) return;

  verifies('CRL-05', 'a client that is not allowed gets no list, no stream and no session', async () => {
    const lists = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'];
    const others = await bearer('other');
    for (const method of [...lists, 'ping', 'resources/subscribe', 'completion/complete', 'logging/setLevel'])
      expect([method, rejectedAs(await ask(message(method, {}), others))]).toEqual([method, REFUSED]);
    const opened = await post(INITIALIZE, others);
    expect([rejectedAs(opened), opened.headers['mcp-session-id']]).toEqual([REFUSED, undefined]);
    for (const method of ['GET', 'DELETE'])
      expect(rejectedAs(await post({}, { ...others, accept: 'text/event-stream' }, method))).toEqual(REFUSED);
    if (!transport.hasSessions) return;
    // Not even its user's own session, which another client has opened.
    const entered = await session(await bearer('cli'), transport);
    expect(rejectedAs(await post(toolCall('list'), { ...others, ...entered }))).toEqual(REFUSED);
    expect((await post(toolCall('list'), { ...(await bearer('cli')), ...entered })).status).toBe(200);
    expect(ran).toEqual(['list']);
  });

  if (!transport.hasSessions) return;

  verifies('AKY-08', 'a session belongs to the owner of the key that opened it', async () => {
    const own = apiKey('ada', 'cli', BOTH);
    const entered = await session(own, transport);
    expect(entered).toHaveProperty('mcp-session-id');
    const call = async (credential: Record<string, string>, more: object = {}): Promise<number> =>
      (await post(toolCall('list'), { ...credential, ...entered, ...more })).status;
    const unknown = await call(own, { 'mcp-session-id': 'unknown' });
    expect(unknown).toBeGreaterThanOrEqual(400);
    expect(await call(own)).toBe(200);
    // Another key of the same owner, as another token of the same user.
    expect(await call(apiKey('ada', 'cli', READ))).toBe(200);
    expect(await call(apiKey('eve', 'cli', BOTH))).toBe(unknown);
    expect(await call(apiKey('ada', 'https://good.example/c', BOTH))).toBe(unknown);
    expect(await call(await bearer('cli', BOTH, { sub: 'ada' }))).toBe(unknown);
    expect(ran).toEqual(['list', 'list']);
  });
});

const mountings = MOUNTINGS.map((mounting, index) => {
  const platform = PLATFORMS[index % 2] ?? 'express';
  return { row: `${mounting.way}, on ${platform}`, mounting, platform };
});

describe.each(mountings)('behind $row', ({ mounting, platform }) => {
  verifies(['AKY-16', 'CRL-06'], 'a key is the caller, and a client must be allowed', async () => {
    const app = await createApp(options(mounting.options), {
      ...mounting.parts(),
      platform,
      prepare: (nest) => mounting.prepare?.(nest, platform),
    });
    try {
      const ask = async (headers: Record<string, string>): Promise<HttpAnswer> =>
        app.send('/notes', { method: 'POST', headers, body: mounting.isTool ? toolCall('whoami') : {} });
      const { status, text } = await ask(apiKey('ada', 'cli', READ));
      expect([status, mounted.count]).toEqual([200, 1]);
      expect(text.replaceAll('\\', '')).toContain('{"auth":"ada","context":"ada"}');
      expect(rejectedAs(await ask({}))).toEqual(noToken);
      expect(rejectedAs(await ask({ 'x-api-key': 'wrong' }))).toEqual(invalidToken);
      expect(rejectedAs(await ask(apiKey('ada', 'cli', '')))).toEqual(insufficientScope(READ));
      expect(rejectedAs(await ask(apiKey('ada', 'other', READ)))).toEqual(REFUSED);
      expect(rejectedAs(await ask(await bearer('other', '')))).toEqual(REFUSED);
      expect(rejectedAs(await ask({ ...apiKey('ada', 'cli', READ), authorization: 'Bearer x' }))).toEqual(
        severalCredentials,
      );
      expect(mounted.count).toBe(1);
    } finally {
      await app.close();
    }
  });
});
