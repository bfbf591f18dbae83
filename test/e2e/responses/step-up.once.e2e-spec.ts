import { APP_FILTER } from '@nestjs/core';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { type AccessDeniedEvent, McpAuthEvents, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { type AppParts, PLATFORMS, RecordingLogger, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { caught, LateController, OpenController, OwnFilter } from '../../fixtures/late-rest.controllers.js';
import { toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { LATE_ENDPOINTS } from '../../fixtures/step-up-endpoints.js';
import { verifies } from '../../verifies.js';

const { insufficientScope, noTokenFor } = notesRejections('notes:read');

const LEGACY = '2025-11-25';
const MODERN = '2026-07-28';

/** What a challenge names for `notes:write`, by the version of the client. */
const ASKED = { [LEGACY]: 'notes:read notes:write', [MODERN]: 'notes:write' } as const;

type Version = keyof typeof ASKED;

const META = {
  [`io.modelcontextprotocol/protocolVersion`]: MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const LATE: readonly [string, string, object][] = [
  ['tools/call', 'decides', { name: 'decides', arguments: {} }],
  ['prompts/get', 'late', { name: 'late' }],
  ['resources/read', 'note://late', { uri: 'note://late' }],
];

const THROWS = ['tools/call', 'throws', { name: 'throws', arguments: {} }] as const;

/** The last message of a stream, and how many there are. */
function lastOf({ text }: HttpAnswer): { message: unknown; count: number } {
  const data = text.split('\n').filter((line) => line.startsWith('data: {'));
  return { message: JSON.parse(data.at(-1)?.slice(6) ?? 'null'), count: data.length };
}

const toolError = (scopes: string) => ({
  jsonrpc: '2.0',
  id: 7,
  result: { isError: true, content: [{ type: 'text', text: `The operation needs the scopes: ${scopes}` }] },
});

describe.each(PLATFORMS)('step-up from inside a handler, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  let log: RecordingLogger;
  let denied: AccessDeniedEvent[];
  const token = (scope = 'notes:read') => as.token({ aud: NOTES, scope });

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(async () => {
    await as.close();
  });

  beforeEach(() => {
    denied = [];
    caught.length = 0;
    log = new RecordingLogger();
  });

  async function start(parts: AppParts, more: Partial<McpAuthModuleOptions> = {}): Promise<RunningApp> {
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const prepare: AppParts['prepare'] = async (nest) => {
      nest.get(McpAuthEvents).on('access_denied', (event) => {
        if (event.reason === 'insufficient_scope') denied.push(event);
      });
      await parts.prepare?.(nest);
    };
    return closeAfterTest(await startApp({ resources, ...more }, { ...parts, log, prepare, platform }));
  }

  describe.each(LATE_ENDPOINTS)('with %s', (name, legacyAnswers, make) => {
    const isOfNest = name.startsWith('@rekog');
    const versions: readonly Version[] = name.startsWith('SDK v1') ? [LEGACY] : [LEGACY, MODERN];

    async function startEndpoint(more: Partial<McpAuthModuleOptions> = {}) {
      const app = await start(make(), more);
      return async (
        version: Version,
        [method, target, params]: readonly [string, string, object],
        bearer?: string,
      ): Promise<HttpAnswer> => {
        const isModern = version === MODERN;
        const meta = { progressToken: 1, ...(isModern && META) };
        return app.send('/notes', {
          method: 'POST',
          headers: {
            authorization: `Bearer ${bearer ?? (await token())}`,
            'mcp-protocol-version': version,
            ...(isModern && { 'mcp-method': method, 'mcp-name': target }),
          },
          body: { jsonrpc: '2.0', id: 7, method, params: { ...params, _meta: meta } },
        });
      };
    }

    const tool = (target: string) => ['tools/call', target, { name: target, arguments: {} }] as const;

    verifies(
      ['SSE-01', 'F73', 'SCP-02'],
      'is the 403 of a rejection before the handler, where nothing was sent',
      async () => {
        const call = await startEndpoint();
        for (const version of versions) {
          for (const message of isOfNest ? [...LATE, THROWS] : LATE) {
            denied.length = 0;
            const answer = await call(version, message);
            expect([message, rejectedAs(answer)]).toEqual([message, insufficientScope(ASKED[version])]);
            expect(answer.headers).toMatchObject({
              'content-type': 'application/json; charset=utf-8',
              'cache-control': 'no-store',
              'content-length': String(answer.text.length),
            });
            expect(denied).toMatchObject([
              {
                required: ASKED[version].split(' '),
                granted: ['notes:read'],
                subject: 'u1',
                resource: NOTES,
              },
            ]);
          }
          const wide = await call(version, tool('decides'), await token('notes:read notes:write'));
          expect([wide.status, wide.text]).toEqual([200, expect.stringContaining('written')]);
        }
      },
    );

    verifies('SSE-01', 'leaves a failure alone that is another than the denial', async () => {
      const call = await startEndpoint();
      for (const version of versions) {
        const answer = await call(version, tool('masks'));
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([200, undefined]);
        expect(answer.text).toContain('"isError":true');
        expect(answer.text).not.toContain('notes:write');
      }
      expect(denied).toEqual([]);
    });

    verifies('SSE-01', 'is a tool error if a callback of the SDK throws the error by itself', async () => {
      if (isOfNest) return;
      const call = await startEndpoint();
      for (const version of versions) {
        const answer = await call(version, THROWS);
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([200, undefined]);
        expect(answer.text).toContain('The operation needs the scopes: notes:write');
      }
      expect(denied).toEqual([]);
    });

    verifies(
      ['SSE-01', 'SSE-02', 'F73', 'H24'],
      'depends on whether the answer has begun when the tool throws',
      async () => {
        const call = await startEndpoint();
        for (const version of versions) {
          const answer = await call(version, tool('waits'));
          if (version === LEGACY && legacyAnswers === 'stream') {
            expect([answer.status, answer.headers['www-authenticate']]).toEqual([200, undefined]);
            expect(lastOf(answer)).toMatchObject({ message: toolError(ASKED[version]), count: 1 });
          } else expect(rejectedAs(answer)).toEqual(insufficientScope(ASKED[version]));
        }
      },
    );

    verifies(
      ['SSE-02', 'H24', 'CHL-24'],
      'is an error within a stream that has begun, and the stream ends',
      async () => {
        const call = await startEndpoint();
        for (const version of versions) {
          if (version === LEGACY && legacyAnswers === 'json') continue;
          const answer = await call(version, tool('reports'));
          expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
          expect(answer.headers['www-authenticate']).toBeUndefined();
          expect(lastOf(answer).message).toMatchObject(toolError(ASKED[version]));
          expect(denied).toMatchObject([{ required: ASKED[version].split(' ') }]);
          denied.length = 0;
          const wide = await call(version, tool('reports'), await token('notes:read notes:write'));
          expect(JSON.stringify(lastOf(wide).message)).toContain('written');
          expect(denied).toEqual([]);
        }
      },
    );

    verifies('SSE-01', 'leaves a good answer alone, where the handler catches it', async () => {
      const call = await startEndpoint();
      for (const version of versions) {
        const answer = await call(version, tool('catches'));
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([200, undefined]);
        expect(answer.text).toContain('what may be read');
        expect(denied).toEqual([]);
      }
    });

    verifies('CHL-24', 'has the id of the call where rejections are JSON-RPC', async () => {
      const call = await startEndpoint({ errorBody: 'json-rpc' });
      const answer = await call(LEGACY, tool('decides'));
      expect(answer.status).toBe(403);
      expect(answer.json).toMatchObject({ jsonrpc: '2.0', id: 7, error: { code: 403 } });
    });

    verifies('SSE-01', 'passes with a broader scope', async () => {
      const call = await startEndpoint({ scopeHierarchy: { 'notes:admin': ['notes:write'] } });
      const answer = await call(LEGACY, tool('decides'), await token('notes:read notes:admin'));
      expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('written')]);
    });
  });

  verifies('SSE-01', 'rejects a batch as a whole', async () => {
    const [, , make] = LATE_ENDPOINTS[0] as (typeof LATE_ENDPOINTS)[number];
    const app = await start(make());
    const headers = { authorization: `Bearer ${await token()}` };
    const batch = (...names: string[]) => names.map((each, index) => toolCall(each, index));
    const rejected = await app.send('/notes', { method: 'POST', headers, body: batch('catches', 'waits') });
    expect(rejectedAs(rejected)).toEqual(insufficientScope(ASKED[LEGACY]));
    const good = await app.send('/notes', { method: 'POST', headers, body: batch('catches', 'catches') });
    expect([good.status, (good.json as unknown[]).length]).toEqual([200, 2]);
  });

  verifies('SSE-01', 'names what the decorators on the handler ask for too', async () => {
    const [, , make] = LATE_ENDPOINTS[3] as (typeof LATE_ENDPOINTS)[number];
    const app = await start(make());
    const ask = async (scope: string) =>
      app.send('/notes', {
        method: 'POST',
        headers: { authorization: `Bearer ${await token(scope)}`, 'mcp-protocol-version': LEGACY },
        body: toolCall('scoped'),
      });
    expect(rejectedAs(await ask('notes:read'))).toEqual(insufficientScope('notes:read notes:list'));
    expect(rejectedAs(await ask('notes:read notes:list'))).toEqual(
      insufficientScope('notes:read notes:list notes:write'),
    );
    expect((await ask('notes:read notes:list notes:write')).status).toBe(200);
  });

  verifies('SSE-01', 'holds where a handler of @rekog/mcp-nest has a filter of its own', async () => {
    const [, , make] = LATE_ENDPOINTS[3] as (typeof LATE_ENDPOINTS)[number];
    const app = await start(make());
    const headers = { authorization: `Bearer ${await token()}`, 'mcp-protocol-version': LEGACY };
    const answer = await app.send('/notes', { method: 'POST', headers, body: toolCall('filtered') });
    expect(rejectedAs(answer)).toEqual(insufficientScope(ASKED[LEGACY]));
  });

  describe('with routes of HTTP', () => {
    const get = async (app: RunningApp, path: string, scope: string | undefined = 'notes:read') =>
      app.send(path, { headers: { authorization: `Bearer ${await token(scope)}` } });

    verifies(['SSE-01', 'F73'], 'is the 403 of a rejection by the guard', async () => {
      const app = await start({ controllers: [LateController] });
      for (const path of ['/notes/decides', '/notes/throws']) {
        const answer = await get(app, path);
        expect([path, rejectedAs(answer)]).toEqual([path, insufficientScope('notes:read notes:write')]);
        expect(answer.headers['etag']).toBeUndefined();
      }
      expect(rejectedAs(await get(app, '/notes/listed', 'notes:read notes:list'))).toEqual(
        insufficientScope('notes:read notes:list notes:write notes:share'),
      );
      expect((await get(app, '/notes/decides', 'notes:read notes:write')).text).toBe('written');
      expect(denied).toHaveLength(3);
      expect(log.errors).toEqual([]);
    });

    verifies('SSE-01', 'keeps what the other headers of the answer say', async () => {
      const app = await start({ controllers: [LateController] });
      const headers = { authorization: `Bearer ${await token()}`, origin: new URL(NOTES).origin };
      const answer = await app.send('/notes/decides', { headers });
      expect(answer.status).toBe(403);
      expect(answer.headers['access-control-allow-origin']).toBe(new URL(NOTES).origin);
      expect(answer.headers['access-control-expose-headers']).toMatch(/WWW-Authenticate/i);
    });

    verifies(
      'SSE-01',
      'leaves the answer alone where the handler catches it, be it one of failure',
      async () => {
        const app = await start({ controllers: [LateController] });
        const good = await get(app, '/notes/caught/good');
        expect([good.status, good.text]).toEqual([200, 'what may be read']);
        expect(good.headers['www-authenticate']).toBeUndefined();
        const missing = await get(app, '/notes/caught/missing');
        expect([missing.status, missing.headers['www-authenticate']]).toEqual([404, undefined]);
        expect((await get(app, '/notes/missing')).status).toBe(404);
        expect(denied).toEqual([]);
      },
    );

    verifies('SSE-01', 'asks an anonymous caller for a token', async () => {
      const app = await start({ controllers: [LateController] });
      expect(rejectedAs(await app.send('/notes/anyone'))).toEqual(noTokenFor('notes:read notes:write'));
      expect(rejectedAs(await get(app, '/notes/anyone'))).toEqual(
        insufficientScope('notes:read notes:write'),
      );
      expect((await get(app, '/notes/anyone', 'notes:read notes:write')).status).toBe(200);
    });

    verifies('SSE-01', "stands beside the application's own filters", async () => {
      const app = await start({
        controllers: [LateController],
        providers: [{ provide: APP_FILTER, useClass: OwnFilter }],
      });
      const rejected = insufficientScope('notes:read notes:write');
      expect(rejectedAs(await get(app, '/notes/filtered'))).toEqual(rejected);
      expect(caught).toHaveLength(1);
      expect(rejectedAs(await get(app, '/notes/throws'))).toEqual(rejected);
      const own = await get(app, '/notes/fault');
      expect([own.status, own.json]).toEqual([418, { own: true }]);
      expect(caught.at(-1)).toEqual(new Error('broken'));
    });

    verifies('SSE-01', 'is a fault where nobody guards the route', async () => {
      const app = await start({ controllers: [OpenController] });
      const answer = await app.send('/open');
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([500, undefined]);
      expect(log.errors).toHaveLength(1);
    });

    verifies(['SSE-02', 'H24'], 'ends a stream that has begun', async () => {
      const app = await start({ controllers: [LateController] });
      const begun = await get(app, '/notes/begun');
      expect([begun.status, begun.text]).toEqual([200, 'data: 1\n\n']);
      const events = await get(app, '/notes/events');
      expect(events.status).toBe(200);
      // Nest writes this event. Older releases of Nest 11 also write the message of the error into it.
      const errorEvents = events.text.split('\n\n').filter((event) => event.startsWith('event: error'));
      expect(errorEvents).toEqual([
        expect.stringMatching(
          /^event: error\nid: 3\ndata: (Internal server error|The operation needs the scopes: notes:write)$/,
        ),
      ]);
      expect((await get(app, '/notes/missing')).status).toBe(404);
    });
  });
});
