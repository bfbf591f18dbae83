import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { KINDS, message, openSession, ran, sender, startOperations } from '../../fixtures/operations-app.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

describe.each(PLATFORMS)('scopes of MCP operations, on %s', (platform) => {
  const { insufficientScope } = notesRejections('notes:read');
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  let hierarchical: RunningApp;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    app = await startOperations(as, platform);
    const hierarchy = { 'notes:admin': ['notes:write'], 'notes:write': ['notes:read'] };
    hierarchical = await startOperations(as, platform, hierarchy);
  });

  afterAll(async () => {
    await app.close();
    await hierarchical.close();
    await as.close();
  });

  beforeEach(() => {
    ran.length = 0;
  });

  const token = (scope: string) => as.token({ aud: NOTES, scope });
  const session = (bearer: string) => openSession(app, bearer);

  verifies(
    ['SCP-21', 'SCP-01', 'SCP-02', 'F70'],
    'are checked before anything runs, for each kind',
    async () => {
      const reader = await token('notes:read');
      const send = await session(reader);
      for (const [method, params, needed, handler] of KINDS) {
        ran.length = 0;
        const body = message(method, params);
        const rejected = insufficientScope(`notes:read ${needed}`);
        expect([method, rejectedAs(await send(reader, body))]).toEqual([method, rejected]);
        expect([method, ran]).toEqual([method, []]);
        const { status } = await send(await token(`notes:read ${needed}`), body);
        expect([method, status, ran]).toEqual([method, 200, handler === undefined ? [] : [handler]]);
      }
    },
  );

  verifies('F69', 'may be one of several', async () => {
    const send = await session(await token('notes:read'));
    for (const granted of ['notes:a', 'notes:b', 'notes:b notes:a']) {
      expect((await send(await token(`notes:read ${granted}`), toolCall('either'))).status).toBe(200);
    }
    expect(ran).toHaveLength(3);
    for (const granted of ['', 'notes:c', 'notes:A', 'notes:a,notes:b']) {
      const answer = await send(await token(`notes:read ${granted}`.trim()), toolCall('either'));
      expect(rejectedAs(answer)).toEqual(insufficientScope('notes:read notes:a'));
    }
    expect(ran).toHaveLength(3);
  });

  verifies(['SCP-04', 'SCP-05', 'F68', 'F71'], 'add up from class and method, in one challenge', async () => {
    const send = await session(await token('notes:read'));
    const erase = toolCall('erase');
    const needed = ['notes:read', 'notes:write', 'notes:erase', 'notes:b'];
    for (const missing of ['notes:write', 'notes:erase']) {
      const bearer = await token(needed.filter((scope) => scope !== missing).join(' '));
      const challenge = new Set([...needed.filter((scope) => scope !== missing), ...needed]);
      const { status, headers } = await send(bearer, erase);
      expect(status).toBe(403);
      const asked = /scope="(?<asked>[^"]*)"/.exec(headers['www-authenticate'] ?? '')?.groups?.['asked'];
      expect(new Set(asked?.split(' '))).toEqual(challenge);
      expect(ran).toEqual([]);
      expect((await send(await token(asked ?? ''), erase)).status).toBe(200);
      expect(ran.splice(0)).toEqual(['erase']);
    }
    const none = rejectedAs(await send(await token('notes:read'), erase));
    expect(none).toEqual(insufficientScope('notes:read notes:write notes:erase notes:a'));
  });

  verifies('F76', 'are those of the resource if a handler asks for none', async () => {
    const send = await session(await token('notes:read'));
    expect((await send(await token('notes:read'), toolCall('open'))).status).toBe(200);
    expect(rejectedAs(await send(await token('notes:reader'), toolCall('open')))).toEqual(
      insufficientScope('notes:read'),
    );
    expect(ran).toEqual(['open']);
  });

  verifies('SCP-26', 'may come from the arguments, all in one challenge', async () => {
    const send = await session(await token('notes:read'));
    const hr = toolCall('write_note', 1, { folder: 'hr' });
    for (const granted of ['notes:read', 'notes:read notes:write']) {
      expect(rejectedAs(await send(await token(granted), hr))).toEqual(
        insufficientScope('notes:read notes:write hr:write'),
      );
    }
    const it = toolCall('write_note', 1, { folder: 'it' });
    const all = await token('notes:read notes:write hr:write');
    expect((await send(all, it)).headers['www-authenticate']).toContain(
      'scope="notes:read notes:write it:write"',
    );
    expect(ran).toEqual([]);
    expect((await send(all, hr)).status).toBe(200);
    expect((await send(await token('notes:read notes:write'), toolCall('write_note'))).status).toBe(200);
    expect(ran).toEqual(['write_note', 'write_note']);
  });

  verifies('SCP-26', 'cause 500 if a function fails, in a batch too', async () => {
    const all = await token('notes:read notes:write fault:write');
    const send = await session(all);
    const fault = toolCall('write_note', 1, { folder: 'fault' });
    const odd = toolCall('write_note', 1, { folder: ['hr', 'it'] });
    const oldest = { 'mcp-protocol-version': '2025-03-26' };
    for (const body of [fault, [toolCall('open', 2), fault], [fault, toolCall('open', 2)]]) {
      const { status, headers, json } = await send(all, body, Array.isArray(body) ? oldest : {});
      expect({ status, challenge: headers['www-authenticate'], json }).toEqual({
        status: 500,
        challenge: undefined,
        json: { error: 'server_error', error_description: 'The request could not be checked' },
      });
    }
    expect((await send(all, odd)).status).toBe(403);
    expect((await send(all, toolCall('write_note', 1, { folder: 'h r' }))).status).toBe(500);
    expect(ran).toEqual([]);
  });

  verifies(['SCP-06', 'F72'], 'are satisfied by a broader scope, if the options say so', async () => {
    const admin = await token('notes:admin');
    const writer = await token('notes:write');
    for (const tool of ['purge', 'write_note', 'open']) {
      expect((await sender(hierarchical)(admin, toolCall(tool))).status).toBe(200);
    }
    expect((await sender(hierarchical)(writer, toolCall('write_note'))).status).toBe(200);
    expect(ran).toEqual(['purge', 'write_note', 'open', 'write_note']);
    expect((await sender(hierarchical)(writer, toolCall('purge'))).status).toBe(403);
    expect((await sender(hierarchical)(await token('notes:ADMIN'), toolCall('open'))).status).toBe(403);
    // Without the option a scope is only itself.
    expect((await sender(app)(admin, toolCall('open'))).status).toBe(403);
    expect(ran).toHaveLength(4);
  });

  verifies(['SCP-07', 'F72'], 'are asked for as they are needed, not by a broader name', async () => {
    const reader = await token('notes:read');
    expect(rejectedAs(await sender(hierarchical)(reader, toolCall('write_note')))).toEqual(
      insufficientScope('notes:read notes:write'),
    );
    expect(rejectedAs(await sender(hierarchical)(await token('notes:write'), toolCall('purge')))).toEqual(
      insufficientScope('notes:write notes:read notes:admin'),
    );
  });

  verifies('SCP-27', 'are checked with every request of a session', async () => {
    const admin = await token('notes:read notes:admin');
    const send = await session(admin);
    const purge = toolCall('purge');
    expect((await send(admin, purge)).status).toBe(200);
    expect(rejectedAs(await send(await token('notes:read'), purge))).toEqual(
      insufficientScope('notes:read notes:admin'),
    );
    expect(ran).toEqual(['purge']);
    expect((await send(admin, purge)).status).toBe(200);
    expect(ran).toEqual(['purge', 'purge']);
  });
});
