import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { type RunningApp, start } from '../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { MCP_HEADERS } from '../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../fixtures/notes-rejections.js';
import { message } from '../fixtures/operations-app.js';
import { NOTES } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';
import { ExportHandlers, TaskEndpoint } from './task-examples.js';

const OF_A_TASK = ['tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel'];

const EXPORT = message('tools/call', { name: 'export', arguments: {}, task: { ttl: 60_000 } });

const { insufficientScope, invalidToken, noToken } = notesRejections('notes:read');

describe('the example of tasks in the documents', () => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  beforeEach(async () => {
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    app = await start({ resources }, { controllers: [TaskEndpoint], providers: [ExportHandlers] });
  });

  const tokenOf = (caller: object, scope = 'notes:read notes:export') =>
    as.token({ aud: NOTES, scope, sub: 'ann', client_id: 'desk', ...caller });

  const post = (bearer: string | undefined, body: unknown) => {
    const authorization = bearer !== undefined && { authorization: `Bearer ${bearer}` };
    return app.send('/notes', { method: 'POST', headers: { ...MCP_HEADERS, ...authorization }, body });
  };

  /** The message in the answer, whichever form it has. */
  const answered = async (bearer: string, method: string, params: object) => {
    const { status, text } = await post(bearer, message(method, params));
    expect(status).toBe(200);
    return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as Record<string, object>;
  };

  const created = async (bearer: string): Promise<string> => {
    const { text } = await post(bearer, EXPORT);
    return /"taskId":"(\w+)"/.exec(text)?.[1] ?? '';
  };

  verifies('SCP-21', 'is created with the scopes of its tool only', async () => {
    const reader = await tokenOf({}, 'notes:read');
    expect(rejectedAs(await post(reader, EXPORT))).toEqual(insufficientScope('notes:read notes:export'));
    expect(await answered(reader, 'tasks/list', {})).toMatchObject({ result: { tasks: [] } });
    expect(await created(await tokenOf({}))).toMatch(/^\w{32}$/);
  });

  verifies(
    ['SCP-21', 'SCP-22', 'SCP-09'],
    'needs a token with the scopes of the resource for each request',
    async () => {
      const taskId = await created(await tokenOf({}));
      const other = await tokenOf({}, 'notes:export');
      const expired = await as.token({ aud: NOTES, scope: 'notes:read', exp: 1 });
      for (const method of [...OF_A_TASK, 'tasks/list']) {
        const body = message(method, { taskId });
        expect([method, rejectedAs(await post(undefined, body))]).toEqual([method, noToken]);
        expect([method, rejectedAs(await post(expired, body))]).toEqual([method, invalidToken]);
        // The client would lose what it has, if it were asked for the scope of the resource alone.
        const rejected = insufficientScope('notes:export notes:read');
        expect([method, rejectedAs(await post(other, body))]).toEqual([method, rejected]);
      }
      const reader = await tokenOf({}, 'notes:read');
      expect(await answered(reader, 'tasks/get', { taskId })).toMatchObject({
        result: { taskId, status: 'completed' },
      });
    },
  );

  verifies('SCP-21', 'is unknown to everybody but the caller that created it', async () => {
    const owner = await tokenOf({});
    const taskId = await created(owner);
    for (const caller of [{ sub: 'bob' }, { client_id: 'phone' }]) {
      const foreign = await tokenOf(caller);
      for (const method of OF_A_TASK) {
        const unknown = await answered(foreign, method, { taskId: '0'.repeat(32) });
        const answer = await answered(foreign, method, { taskId });
        expect(answer).toHaveProperty('error');
        expect(JSON.stringify(answer).replace(taskId, '0'.repeat(32))).toBe(JSON.stringify(unknown));
      }
      expect(await answered(foreign, 'tasks/list', {})).toMatchObject({ result: { tasks: [] } });
    }
    const renewed = await tokenOf({ jti: 'another' });
    expect(await answered(renewed, 'tasks/list', {})).toMatchObject({ result: { tasks: [{ taskId }] } });
    expect(await answered(renewed, 'tasks/result', { taskId })).toMatchObject({
      result: { content: [{ text: 'all notes' }] },
    });
  });
});
