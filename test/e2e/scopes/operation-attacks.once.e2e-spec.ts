import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { ABUSED_CLAIMS } from '../../fixtures/abused-claims.js';
import { PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { message, openSession, ran, startOperations } from '../../fixtures/operations-app.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

describe.each(PLATFORMS)('attacks on the scopes of MCP operations, on %s', (platform) => {
  const { insufficientScope } = notesRejections('notes:read');
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    app = await startOperations(as, platform);
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  beforeEach(() => {
    ran.length = 0;
  });

  const token = (scope: string) => as.token({ aud: NOTES, scope });
  const session = (bearer: string) => openSession(app, bearer);

  verifies(['SCP-21', 'F70'], 'of a template hold for every spelling of a URI that it serves', async () => {
    const reader = await token('notes:read');
    const granted = await token('notes:read note:read');
    const send = await session(reader);
    const rejected = insufficientScope('notes:read note:read');
    const spellings = [
      '1',
      '%31',
      '..',
      '.',
      '%2e%2e',
      'a%2F..%2F1',
      '1/',
      '1?x=2',
      '1#x',
      '%E0%A4',
      'A',
      '',
    ];
    const uris = ['note', 'NOTE', 'other', 'https'].flatMap((scheme) =>
      spellings.map((rest) => `${scheme}://${rest}`),
    );
    for (const uri of [...uris, '1', 'a://1://b', ' note://1', 'note:///1']) {
      ran.length = 0;
      const read = message('resources/read', { uri });
      expect([uri, rejectedAs(await send(reader, read))]).toEqual([uri, rejected]);
      expect([uri, ran]).toEqual([uri, []]);
      const { headers } = await send(granted, read);
      expect([uri, headers['www-authenticate']]).toEqual([uri, undefined]);
    }
    expect((await send(granted, message('resources/read', { uri: 'other://1' }))).status).toBe(200);
    expect(ran).toContain('note');
  });

  verifies(['SCP-24', 'H18'], 'are not revealed for unknown names', async () => {
    const reader = await token('notes:read');
    const send = await session(reader);
    const tricks = [
      '__proto__',
      'constructor',
      'toString',
      'Purge',
      'purge ',
      ' purge',
      'purge\u0000',
      'pur\u200bge',
    ];
    for (const name of [...tricks, 'gree\u0301t', 'nothing', '']) {
      for (const method of ['tools/call', 'prompts/get']) {
        const { status, headers, text: body } = await send(reader, message(method, { name }));
        expect([name, headers['www-authenticate']]).toEqual([name, undefined]);
        expect(status).toBe(200);
        expect(body).toContain('error');
        expect(body).not.toContain('notes:');
      }
    }
    expect(ran).toEqual([]);
  });

  verifies('H18', 'are those of the name that the body has once it is parsed', async () => {
    const reader = await token('notes:read');
    const send = await session(reader);
    const raw = { 'content-type': 'application/json' };
    const named = (members: string) =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${members},"arguments":{}}}`;
    const rejected = insufficientScope('notes:read notes:admin');
    for (const members of ['"name":"pu\\u0072ge"', '"name":"open","name":"purge"', '"n\\u0061me":"purge"']) {
      expect(rejectedAs(await send(reader, named(members), raw))).toEqual(rejected);
    }
    const hostile = [
      `\ufeff${named('"name":"purge"')}`,
      '['.repeat(10_000) + ']'.repeat(10_000),
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":${'['.repeat(10_000)}"purge"${']'.repeat(10_000)}}}`,
      named('"__proto__":{"name":"purge"}'),
      named('"name":["purge"]'),
      named('"name":{"toString":"purge"}'),
    ];
    for (const body of hostile) {
      const { status, headers } = await send(reader, body, raw);
      expect([body.slice(0, 80), status < 500]).toEqual([body.slice(0, 80), true]);
      if (status !== 403) expect(headers['www-authenticate']).toBeUndefined();
    }
    expect(ran).toEqual([]);
    expect((await send(reader, named('"name":"purge","name":"open"'), raw)).status).toBe(200);
    expect(ran).toEqual(['open']);
  });

  verifies('H17', 'come from exactly one scope claim, whatever else a token has', async () => {
    const send = await session(await token('notes:read'));
    for (const claims of ABUSED_CLAIMS) {
      const bearer = await as.token({ aud: NOTES, ...claims });
      const { status, headers } = await send(bearer, toolCall('purge'));
      const seen = JSON.stringify(claims);
      expect([seen, status]).toEqual([seen, 403]);
      expect(headers['www-authenticate']).toMatch(/ scope="notes:read notes:admin", /);
    }
    expect(ran).toEqual([]);
    expect((await send(await token('notes:read notes:admin'), toolCall('purge'))).status).toBe(200);
    expect(ran).toEqual(['purge']);
  });

  verifies('H23', 'are needed for a call that is also written as a response or a notification', async () => {
    const reader = await token('notes:read');
    const send = await session(reader);
    const call = toolCall('purge');
    const rejected = insufficientScope('notes:read notes:admin');
    const disguised = [
      { ...call, result: {} },
      { ...call, error: { code: 1, message: 'x' } },
      { ...call, id: undefined },
      { ...call, id: null },
      { ...call, jsonrpc: undefined },
    ];
    for (const body of disguised) expect(rejectedAs(await send(reader, body))).toEqual(rejected);
    const carried = [
      { jsonrpc: '2.0', id: 1, result: call },
      { jsonrpc: '2.0', id: 1, result: { method: 'tools/call', params: { name: 'purge' } } },
      { jsonrpc: '2.0', id: 1, method: 'ping', params: call },
    ];
    for (const body of carried) expect((await send(reader, body)).status).toBeLessThan(500);
    expect(ran).toEqual([]);
  });
});
