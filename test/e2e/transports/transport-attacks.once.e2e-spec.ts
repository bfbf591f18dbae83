import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { ABUSED_CLAIMS } from '../../fixtures/abused-claims.js';
import { PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES } from '../../fixtures/resources.js';
import {
  asModern,
  clientOf,
  type Operation,
  startTransport,
  type TransportClient,
} from '../../fixtures/transport-operations.js';
import { ran } from '../../fixtures/transport-servers.js';
import { type Transport, TRANSPORTS } from '../../fixtures/transports.js';
import { verifies } from '../../verifies.js';

const { insufficientScope, invalidToken } = notesRejections('notes:read');

/** What is asked for below: a call that needs `notes:admin`, and one that tells which token has come. */
const tool = (name: string, id = 1): Pick<Operation, 'message' | 'route'> => ({
  message: toolCall(name, id),
  route: ['POST', `/${name}`, {}],
});
const PURGE = tool('purge');

/** Names that are not `purge`, whatever they look like. */
const OTHER_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'Purge',
  'purge ',
  ' purge',
  'pur\u200bge',
  'purg\u0435',
  '',
];

/** Members of a call that come to the name `purge`, and to the name `list`, once they are parsed. */
const SPELT_PURGE = ['"name":"pu\\u0072ge"', '"name":"list","name":"purge"', '"n\\u0061me":"purge"'];
const SPELT_LIST = ['"name":"purge","name":"list"', '"name":"l\\u0069st"'];

/** Members that come to no name at all. */
const NO_NAME = ['"name":["purge"]', '"name":{"toString":"purge"}', '"__proto__":{"name":"purge"}'];

/** Too deep for some servers, which then answer 500 themselves. */
const TOO_DEEP = `"name":${'['.repeat(10_000)}"purge"${']'.repeat(10_000)}`;

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** All texts that some decoders take for this token: bits to spare in the last character, and padding. */
function spellingsOf(token: string): string[] {
  const last = BASE64URL.indexOf(token.at(-1) ?? '');
  return [0, 1, 2, 3, 8, 15]
    .map((bits) => `${token.slice(0, -1)}${BASE64URL.charAt(last ^ bits)}`)
    .flatMap((each) => [each, `${each}=`, `${each}==`]);
}

const rows = PLATFORMS.flatMap((platform) =>
  TRANSPORTS.map((transport) => ({
    row: `${transport.name}, ${transport.era}, on ${platform}`,
    transport,
    platform,
  })),
);

describe.each(rows)('attacks at $row', ({ transport, platform }) => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  let client: TransportClient;
  const revoked = new Set<string | undefined>();
  const token = (scope: string, claims: object = {}) => as.token({ aud: NOTES, scope, ...claims });

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    app = await startTransport(as, transport, platform, { isRevoked: ({ jti }) => revoked.has(jti) });
    client = await clientOf(app, transport, await token('notes:read'));
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  beforeEach(() => {
    ran.length = 0;
  });

  const asked = transport.era === '2026-07-28' ? 'notes:admin' : 'notes:read notes:admin';
  const rejected = insufficientScope(asked);

  verifies('H17', 'gain no scope by odd claims', async () => {
    for (const claims of ABUSED_CLAIMS) {
      const seen = JSON.stringify(claims);
      const { status, headers } = await client.ask(await as.token({ aud: NOTES, ...claims }), PURGE);
      expect([seen, status]).toEqual([seen, 403]);
      // Early authentication asks for the scope of the resource first: it has not read the body.
      expect(headers['www-authenticate']).toMatch(/^Bearer error="insufficient_scope", scope="notes:/);
    }
    expect(ran).toEqual([]);
    expect((await client.ask(await token('notes:read notes:admin'), PURGE)).status).toBe(200);
    expect(ran).toEqual(['purge']);
  });

  verifies('H20', 'gain nothing by other spellings of a revoked token', async () => {
    const bearer = await token('notes:read notes:admin', { jti: 'revoked' });
    const statuses: number[] = [];
    for (const spelling of spellingsOf(bearer)) statuses.push((await client.ask(spelling, PURGE)).status);
    expect(statuses[0]).toBe(200);
    expect(statuses.filter((status) => status !== 200 && status !== 401)).toEqual([]);
    ran.length = 0;
    revoked.add('revoked');
    for (const spelling of spellingsOf(bearer)) {
      expect(rejectedAs(await client.ask(spelling, PURGE))).toEqual(invalidToken);
    }
    expect(ran).toEqual([]);
    const other = await token('notes:read notes:admin', { jti: 'another' });
    expect((await client.ask(other, PURGE)).status).toBe(200);
  });

  verifies('H26', 'gain nothing by what runs at the same time', async () => {
    const callers = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const jti = `caller-${String(n)}`;
        const isAdmin = n % 4 === 0;
        return {
          n,
          jti,
          isAdmin,
          bearer: await token(isAdmin ? 'notes:read notes:admin' : 'notes:read', { jti }),
        };
      }),
    );
    const wrong: string[] = [];
    await Promise.all(
      callers.map(async ({ n, jti, isAdmin, bearer }) => {
        const [who, purged] = await Promise.all([
          client.ask(bearer, tool('whoami', 1000 + n)),
          client.ask(bearer, tool('purge', 2000 + n)),
        ]);
        if (!who.text.includes(`"${jti}"`)) wrong.push(`${jti}: ${who.text}`);
        if (purged.status !== (isAdmin ? 200 : 403)) wrong.push(`${jti}: ${String(purged.status)}`);
      }),
    );
    expect(wrong).toEqual([]);
    expect(ran).toEqual(Array(25).fill('purge'));
  });

  if (transport.isPlain) {
    verifies(['H01', 'H18', 'H23'], 'gain nothing by bodies, or by other spellings of a path', async () => {
      const reader = await token('notes:read');
      for (const body of [[PURGE.message], { jsonrpc: '2.0', id: 1, result: {} }, toolCall('list')]) {
        for (const version of ['', '2025-03-26', '2025-11-25']) {
          const headers = { 'mcp-protocol-version': version };
          const { status } = await client.ask(reader, { ...PURGE, route: ['POST', '/purge', body] }, headers);
          expect(status).toBe(Array.isArray(body) && version === '2025-11-25' ? 400 : 403);
        }
      }
      const paths = [
        '/PURGE',
        '/purge/',
        '//purge',
        '/pur%67e',
        '/x/../purge',
        '/./purge',
        '/purge%20',
        '/purge?x',
        '/list/..;/purge',
      ];
      for (const path of paths) {
        const { status } = await client.ask(reader, { ...PURGE, route: ['POST', path, {}] });
        expect([path, [400, 403, 404].includes(status)]).toEqual([path, true]);
      }
      expect(ran).toEqual([]);
    });
    return;
  }

  /** Sends a call whose name is written so, as clients of the era do, with what its header says. */
  async function spelt(bearer: string, members: string, headerName: string) {
    const modern = transport.era === '2026-07-28' ? asModern(toolCall(headerName)) : undefined;
    const text = JSON.stringify(modern?.body ?? toolCall(headerName));
    const body = text.replace(`"name":"${headerName}"`, () => members);
    return client.post(bearer, body, { 'content-type': 'application/json', ...modern?.headers });
  }

  verifies('H01', 'smuggle nothing in a batch', async () => {
    const reader = await token('notes:read');
    const all = await token('notes:read notes:admin');
    const purge = toolCall('purge', 1);
    const list = toolCall('list', 2);
    for (const body of [[list, purge], [purge, list], [purge], [list], [], [[purge]]]) {
      for (const bearer of [reader, all]) {
        for (const version of ['2025-06-18', '2025-11-25', '2026-07-28', '9999-12-31']) {
          const answer = await client.post(bearer, body, { 'mcp-protocol-version': version });
          expect([answer.status, answer.json]).toMatchObject([400, { id: null, error: { code: -32600 } }]);
        }
      }
    }
    for (const body of [[list, purge], [purge, list], [purge], [purge, { ...purge, id: undefined }]]) {
      for (const version of ['', '2025-03-26', '2024-11-05', '2026-7-28', 'x']) {
        const answer = await client.post(reader, body, { 'mcp-protocol-version': version });
        expect(rejectedAs(answer)).toEqual(insufficientScope('notes:read notes:admin'));
      }
    }
    for (const body of [[[purge]], [list, [purge]], [{ params: purge }]]) {
      expect((await client.post(reader, body, { 'mcp-protocol-version': '' })).status).toBeLessThan(500);
    }
    expect(ran.filter((name) => name !== 'list')).toEqual([]);
    ran.length = 0;
    expect((await client.post(all, [list, purge], { 'mcp-protocol-version': '' })).status).toBe(200);
    expect([...ran].sort()).toEqual(['list', 'purge']);
  });

  verifies('H18', 'hide no tool name from the guard', async () => {
    const reader = await token('notes:read');
    for (const members of SPELT_PURGE) {
      for (const headerName of ['purge', 'list']) {
        const answer = await spelt(reader, members, headerName);
        // Where header and body must agree, it may be this that is rejected.
        expect([
          members,
          answer.status === 400 && headerName === 'list' ? rejected : rejectedAs(answer),
        ]).toEqual([members, rejected]);
      }
    }
    for (const name of OTHER_NAMES) {
      const { status, headers, text } = await spelt(reader, `"name":${JSON.stringify(name)}`, 'list');
      expect([name, status < 500, headers['www-authenticate']]).toEqual([name, true, undefined]);
      expect(text).not.toContain('notes:');
    }
    for (const members of NO_NAME) {
      const { status, text } = await spelt(reader, members, 'list');
      expect([members, status < 500]).toEqual([members, true]);
      expect(text).not.toContain('notes:');
    }
    expect((await spelt(reader, TOO_DEEP, 'list')).text).not.toMatch(/notes:|server_error/);
    const bom = `\ufeff${JSON.stringify(toolCall('purge'))}`;
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    for (const body of [bom, deep]) {
      const { status } = await client.post(reader, body, { 'content-type': 'application/json' });
      expect([400, 403]).toContain(status);
    }
    expect(ran).toEqual([]);
    for (const members of SPELT_LIST) expect((await spelt(reader, members, 'list')).status).toBe(200);
    expect(ran).toEqual(['list', 'list']);
  });

  verifies('H23', 'disguise no call as something else', async () => {
    const reader = await token('notes:read');
    const { body: call, headers } = disguisable(transport);
    const disguised = [
      { ...call, result: {} },
      { ...call, error: { code: 1, message: 'x' } },
      { ...call, id: undefined },
      { ...call, id: null },
      { ...call, jsonrpc: undefined },
      { ...call, jsonrpc: '1.0' },
    ];
    for (const body of disguised)
      expect(rejectedAs(await client.post(reader, body, headers))).toEqual(rejected);
    const carried = [
      { jsonrpc: '2.0', id: 1, result: call },
      { jsonrpc: '2.0', id: 1, error: call },
      { jsonrpc: '2.0', id: 1, method: 'ping', params: call },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { ...call, requestId: 1 } },
    ];
    for (const body of carried) {
      const answer = await client.post(reader, body, headers);
      expect([answer.status < 500, answer.headers['www-authenticate']]).toEqual([true, undefined]);
    }
    expect(ran).toEqual([]);
  });
});

function disguisable({ era }: Transport): { body: object; headers: Record<string, string> } {
  return era === '2026-07-28' ? asModern(PURGE.message) : { body: PURGE.message, headers: {} };
}
