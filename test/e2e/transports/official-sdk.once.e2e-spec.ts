import { setTimeout as delay } from 'node:timers/promises';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer, requireScopes } from '@modelcontextprotocol/server';
import type { Type } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { openStream } from '../../fixtures/open-stream.js';
import { asModern } from '../../fixtures/transport-operations.js';
import {
  ran,
  sdkController,
  serve,
  toolResult,
  v1Stateful,
  v1Stateless,
  v2Controller,
} from '../../fixtures/transport-servers.js';
import { verifies } from '../../verifies.js';

/** What a running handler has seen, and how a test lets it go on. */
class Gate {
  aborted = false;
  readonly opened: Promise<void>;
  readonly started: Promise<void>;
  readonly ended: Promise<void>;
  open!: () => void;
  private start!: () => void;
  private end!: () => void;

  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve));
    this.started = new Promise((resolve) => (this.start = resolve));
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  /** Runs until the test lets go or the client is gone. */
  async pass(signal: AbortSignal): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        this.aborted = true;
        resolve();
      });
    });
    this.start();
    await Promise.race([this.opened, gone]);
    this.end();
  }
}

let gate = new Gate();

const progressOf = (progressToken: string | number) => ({
  method: 'notifications/progress' as const,
  params: { progressToken, progress: 1, message: 'half' },
});

function slowV2(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('slow', { description: 'Slow' }, async ({ mcpReq }) => {
    const token = mcpReq._meta?.progressToken;
    if (token !== undefined) await mcpReq.notify(progressOf(token));
    await gate.pass(mcpReq.signal);
    return toolResult('done');
  });
  return server;
}

function slowV1(): McpServerV1 {
  const server = new McpServerV1({ name: 'notes', version: '1.0.0' });
  server.registerTool('slow', { description: 'Slow' }, async ({ _meta, sendNotification, signal }) => {
    const token = _meta?.progressToken;
    if (token !== undefined) await sendNotification(progressOf(token));
    await gate.pass(signal);
    return toolResult('done');
  });
  return server;
}

/** A server whose own resolver asks for scopes, beside what the guard asks for. */
function challengingV2(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  const scopeChallenge = requireScopes('notes:write', 'notes:sign');
  server.registerTool('sign', { description: 'Sign', scopeChallenge }, () => serve.tool('sign'));
  return server;
}

/** SDK v2 by its transport for Node, in place of `createMcpHandler`. */
const challengingTransport = sdkController(async (request, response, body) => {
  const transport = new NodeStreamableHTTPServerTransport();
  await challengingV2().connect(transport);
  await transport.handleRequest(request, response, body);
});

const v2 = v2Controller(slowV2);

/** Each server, the revision that it is asked in, and whether a client that goes away ends what runs for it. */
const SLOW: readonly (readonly [string, Type, '2025-11-25' | '2026-07-28', boolean])[] = [
  ['SDK v2', v2, '2025-11-25', true],
  ['SDK v2', v2, '2026-07-28', true],
  ['SDK v1 stateless', v1Stateless(slowV1), '2025-11-25', true],
  ['SDK v1 stateful', v1Stateful(slowV1), '2025-11-25', false],
];

describe.each(PLATFORMS)('the official SDK in a guarded controller, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  beforeEach(() => {
    ran.length = 0;
    gate = new Gate();
  });

  async function started(controller: Type): Promise<RunningApp> {
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const parts = { controllers: [controller] };
    return closeAfterTest(await startApp({ resources }, { ...parts, platform }));
  }

  const bearer = async (scope = 'notes:read'): Promise<Record<string, string>> => ({
    ...MCP_HEADERS,
    authorization: `Bearer ${await as.token({ aud: NOTES, scope })}`,
  });

  /** A call as of a revision, in a session where the server has some. */
  async function callOf(
    app: RunningApp,
    era: string,
    call: object,
    scope?: string,
  ): Promise<{ headers: Record<string, string>; body: object }> {
    const headers = await bearer(scope);
    if (era === '2026-07-28') {
      const { body, headers: more } = asModern(call);
      return { headers: { ...headers, 'mcp-protocol-version': era, ...more }, body };
    }
    const { headers: opened } = await app.send('/notes', { method: 'POST', headers, body: INITIALIZE });
    const session = opened['mcp-session-id'];
    return {
      headers: { ...headers, ...(typeof session === 'string' && { 'mcp-session-id': session }) },
      body: call,
    };
  }

  for (const [name, controller] of [
    ['createMcpHandler', v2Controller(challengingV2)] as const,
    ['a transport', challengingTransport] as const,
  ]) {
    verifies(
      ['CHL-14', 'F70'],
      `answers by its own scopeChallenge with our metadata, by ${name}`,
      async () => {
        const app = await started(controller);
        for (const era of name === 'a transport' ? ['2025-11-25'] : ['2025-11-25', '2026-07-28']) {
          ran.length = 0;
          const asking = async (scope: string) =>
            app.send('/notes', { method: 'POST', ...(await callOf(app, era, toolCall('sign'), scope)) });
          for (const scope of ['notes:read', 'notes:read notes:sign', 'notes:read notes:write notes:SIGN']) {
            expect(rejectedAs(await asking(scope))).toEqual({
              status: 403,
              challenge: `Bearer error="insufficient_scope", error_description="Insufficient scope", scope="notes:write notes:sign", resource_metadata="${NOTES_METADATA}"`,
              json: { error: 'insufficient_scope', error_description: 'Insufficient scope' },
            });
          }
          // What the resource asks of every request comes first.
          expect((await asking('notes:write notes:sign')).headers['www-authenticate']).toContain(
            'scope="notes:read"',
          );
          expect(ran).toEqual([]);
          expect((await asking('notes:read notes:write notes:sign')).status).toBe(200);
          expect(ran).toEqual(['sign']);
        }
      },
    );
  }

  for (const [name, controller, era, endsWithClient] of SLOW) {
    it(`streams what a handler sends before it is done: ${name}, ${era}`, async () => {
      const app = await started(controller);
      const call = toolCall('slow');
      Object.assign((call as { params: object }).params, { _meta: { progressToken: 'p' } });
      const { headers, body } = await callOf(app, era, call);
      const stream = await openStream(app.origin, headers, body);
      await stream.until('"progressToken":"p"');
      expect(stream.text()).not.toContain('done');
      gate.open();
      await stream.until('done');
      await stream.end;
      expect([stream.status(), stream.type()]).toEqual([200, expect.stringMatching(/^text\/event-stream/)]);
    });

    it(`tells a handler when its client goes away: ${name}, ${era}`, async () => {
      const app = await started(controller);
      const { headers, body } = await callOf(app, era, toolCall('slow'));
      const stream = await openStream(app.origin, headers, body);
      await gate.started;
      stream.abort();
      if (endsWithClient) await gate.ended;
      else await delay(200);
      expect(gate.aborted).toBe(endsWithClient);
      gate.open();
    });
  }

  it('tells a handler in a session of SDK v1 when its client cancels', async () => {
    const app = await started(v1Stateful(slowV1));
    const { headers, body } = await callOf(app, '2025-11-25', toolCall('slow', 7));
    const stream = await openStream(app.origin, headers, body);
    await gate.started;
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } };
    const anonymous = { ...headers, authorization: 'Basic dTE6cHc=' };
    expect((await app.send('/notes', { method: 'POST', headers: anonymous, body: cancel })).status).toBe(401);
    expect(gate.aborted).toBe(false);
    expect((await app.send('/notes', { method: 'POST', headers, body: cancel })).status).toBe(202);
    await gate.ended;
    expect(gate.aborted).toBe(true);
    stream.abort();
  });
});
