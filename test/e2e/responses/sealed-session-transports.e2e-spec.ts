import { randomBytes } from 'node:crypto';
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { BearerAuthGuard, LIFECYCLE_METHODS, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { type RunningApp, start } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { SESSION_MOUNTINGS, sseEndpoint } from '../../fixtures/session-endpoints.js';
import { openStream } from '../../fixtures/streams.js';
import { verifies } from '../../verifies.js';

const { noToken } = notesRejections('notes:read');

const SECRET = randomBytes(32).toString('base64url');
const UNKNOWN = `00000000-0000-4000-8000-000000000000.${'A'.repeat(43)}`;
const SEALED = /^[0-9a-f-]{36}\.[\w-]{43}$/;
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

/** Everything that a session id can be used for. */
const USES: readonly [string, object | undefined, Record<string, string>?][] = [
  ['POST', toolCall('whoami')],
  ['POST', INITIALIZED],
  ['POST', INITIALIZE],
  ['GET', undefined],
  ['GET', undefined, { 'last-event-id': 'x_1_y' }],
  ['DELETE', undefined],
];

/** What an answer shows: all but its date. */
function shown({ status, headers, text }: HttpAnswer): object {
  return { status, headers: { ...headers, date: undefined }, text };
}

describe.each(SESSION_MOUNTINGS.map((mounting) => [mounting.way, mounting] as const))(
  'a session with a sealed id, of %s',
  (_, mounting) => {
    let as: LoopbackAuthorizationServer;

    beforeAll(async () => {
      as = await LoopbackAuthorizationServer.start();
    });

    afterAll(() => as.close());

    const token = (claims: object = {}): Promise<string> =>
      as.token({ aud: NOTES, scope: 'notes:read', ...claims });

    function startWith(more: object = {}): Promise<RunningApp> {
      const options: McpAuthModuleOptions = {
        resources: {
          resource: NOTES,
          authorizationServers: [as.issuer],
          requiredScopes: ['notes:read'],
          ...more,
        },
        sessionBinding: { secrets: [SECRET] },
        ...mounting.options,
      };
      return start(options, mounting.parts());
    }

    function ask(
      app: RunningApp,
      bearer: string | undefined,
      [method, body, more]: (typeof USES)[number],
      session?: string,
    ): Promise<HttpAnswer> {
      const headers: Record<string, string> = { ...MCP_HEADERS, ...more };
      if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
      if (session !== undefined) headers['mcp-session-id'] = session;
      return app.send('/notes', { method, headers, body });
    }

    async function open(app: RunningApp, bearer: string | undefined): Promise<string> {
      const opened = await ask(app, bearer, ['POST', INITIALIZE]);
      expect(opened.status).toBe(200);
      const session = String(opened.headers['mcp-session-id']);
      expect(session).toMatch(SEALED);
      const confirmed = await ask(app, bearer, ['POST', INITIALIZED], session);
      expect([confirmed.status, confirmed.text]).toEqual([202, '']);
      return session;
    }

    const whoami = (app: RunningApp, bearer: string | undefined, session: string): Promise<HttpAnswer> =>
      ask(app, bearer, ['POST', toolCall('whoami')], session);

    verifies(
      ['SES-30', 'SES-34', 'SES-02', 'H09'],
      'is answered to other callers as one that never existed',
      async () => {
        const app = await startWith();
        const [owner, session] = [await token(), await open(app, await token())];
        for (const by of [await token({ sub: 'u2' }), await token({ client_id: 'c2' })]) {
          for (const use of USES) {
            const answer = shown(await ask(app, by, use, session));
            expect(answer).toEqual(shown(await ask(app, by, use, UNKNOWN)));
            expect(answer).toMatchObject({ status: 404 });
            expect((await whoami(app, owner, session)).text).toContain('it is u1');
          }
        }
        for (const use of USES) expect(rejectedAs(await ask(app, undefined, use, session))).toEqual(noToken);
        expect((await ask(app, await token({ jti: 'j2' }), ['DELETE', undefined], session)).status).toBe(200);
        expect((await whoami(app, owner, session)).status).toBe(404);
      },
    );

    verifies(['SES-30', 'SES-31'], 'has streams for its caller alone', async () => {
      const app = await startWith();
      const [owner, session] = [await token(), await open(app, await token())];
      const streamOf = async (bearer: string) => {
        const headers = {
          ...MCP_HEADERS,
          accept: 'text/event-stream',
          authorization: `Bearer ${bearer}`,
          'mcp-session-id': session,
        };
        const stream = await openStream(app.origin, '/notes', { headers });
        stream.abort();
        return stream;
      };
      expect((await streamOf(await token({ sub: 'u2' }))).status).toBe(404);
      expect(await streamOf(owner)).toMatchObject({ status: 200, headers: { 'mcp-session-id': session } });
    });

    verifies('SES-31', 'is unknown to a transport that has restarted without it', async () => {
      const session = await open(await startWith(), await token());
      const restarted = await startWith();
      expect((await whoami(restarted, await token(), session)).status).toBe(404);
      const again = await open(restarted, await token());
      expect((await whoami(restarted, await token(), again)).text).toContain('it is u1');
    });

    verifies(
      ['SES-33', 'H09'],
      'stays anonymous if it was opened without a token, and its client opens another one',
      async () => {
        const app = await startWith({ anonymousMethods: LIFECYCLE_METHODS });
        const session = await open(app, undefined);
        expect((await ask(app, undefined, ['POST', LIST], session)).text).toContain('whoami');
        expect(rejectedAs(await whoami(app, undefined, session))).toEqual(noToken);
        const stream = await openStream(app.origin, '/notes', {
          headers: { ...MCP_HEADERS, accept: 'text/event-stream', 'mcp-session-id': session },
        });
        expect(stream.status).toBe(200);
        stream.abort();
        for (const use of USES) {
          const answer = shown(await ask(app, await token(), use, session));
          expect(answer).toEqual(shown(await ask(app, await token(), use, UNKNOWN)));
          expect(answer).toMatchObject({ status: 404 });
        }
        const own = await open(app, await token());
        expect((await whoami(app, await token(), own)).text).toContain('it is u1');
        expect((await ask(app, undefined, ['POST', LIST], own)).status).toBe(404);
        for (const method of ['GET', 'DELETE'])
          expect(rejectedAs(await ask(app, undefined, [method, undefined], own))).toEqual(noToken);
        expect((await ask(app, undefined, ['DELETE', undefined], session)).status).toBe(200);
      },
    );

    verifies(['SES-36', 'SES-30'], 'serves the official client v1, which ends it', async () => {
      const app = await startWith();
      const used: (string | null)[] = [];
      const authorized = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
        const headers = new Headers(init?.headers);
        used.push(headers.get('mcp-session-id'));
        headers.set('authorization', `Bearer ${await token({ jti: `j${String(used.length)}` })}`);
        return fetch(input, { ...init, headers });
      };
      const client = closeAfterTest(new Client({ name: 'v1', version: '1.0.0' }));
      const url = new URL(`${app.origin}/notes`);
      const transport = new StreamableHTTPClientTransport(url, { fetch: authorized });
      await client.connect(transport);
      const session = transport.sessionId;
      expect(session).toMatch(SEALED);
      for (let n = 0; n < 2; n++)
        expect((await client.callTool({ name: 'whoami' })).content).toMatchObject([{ text: 'it is u1' }]);
      expect(new Set(used)).toEqual(new Set([null, session]));
      await transport.terminateSession();
      expect((await whoami(app, await token(), session ?? '')).status).toBe(404);
    });

    verifies(['SES-36', 'SES-30'], 'serves the official client v2, which ends it', async () => {
      const app = await startWith();
      const bearer = await token();
      const authorized: typeof fetch = (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set('authorization', `Bearer ${bearer}`);
        return fetch(input, { ...init, headers });
      };
      const client = closeAfterTest(new ClientV2({ name: 'v2', version: '1.0.0' }));
      const transport = new TransportV2(new URL(`${app.origin}/notes`), { fetch: authorized });
      await client.connect(transport);
      const session = transport.sessionId;
      expect(session).toMatch(SEALED);
      expect((await client.callTool({ name: 'whoami' })).content).toMatchObject([{ text: 'it is u1' }]);
      await transport.terminateSession();
      expect((await whoami(app, bearer, session ?? '')).status).toBe(404);
    });
  },
);

describe('a stream of MCP 2024-11-05, with sealed session ids', () => {
  verifies(['SES-08', 'SES-30'], 'takes messages of its caller only', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const app = await start(
      {
        resources: { resource: NOTES, authorizationServers: [as.issuer] },
        sessionBinding: { secrets: [SECRET] },
      },
      { controllers: [sseEndpoint(UseGuards(BearerAuthGuard))] },
    );
    const headersOf = async (sub: string) => ({
      authorization: `Bearer ${await as.token({ aud: NOTES, sub })}`,
    });
    const headers = { ...(await headersOf('u1')), accept: 'text/event-stream' };
    const stream = await openStream(app.origin, '/notes/sse', { headers });
    await expect.poll(() => stream.text()).toMatch(/sessionId=[^]*\n\n/);
    const [, target = ''] = /data: (\S+)/.exec(stream.text()) ?? [];
    const post = async (sub: string) =>
      app.send(target, { method: 'POST', headers: await headersOf(sub), body: toolCall('whoami') });
    expect(await post('u2')).toMatchObject({ status: 404, text: 'no such stream' });
    expect((await post('u1')).status).toBe(202);
    await expect.poll(() => stream.text()).toContain('it is u1');
    stream.abort();
  });
});
