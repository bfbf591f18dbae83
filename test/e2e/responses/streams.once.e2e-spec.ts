import { createHook } from 'node:async_hooks';
import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { StreamExpiry } from '../../../lib/response/stream-expiry.js';
import { type AppParts, PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { TestClock } from '../../fixtures/clock.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { LISTEN_ENDPOINTS, SESSION_ENDPOINTS, StreamController } from '../../fixtures/stream-endpoints.js';
import { openStream, type OpenStream, settlesWithin, until } from '../../fixtures/streams.js';
import { verifies } from '../../verifies.js';

const { insufficientScope, invalidToken } = notesRejections('notes:read');

const MODERN = '2026-07-28';

/** How late a stream may end: an answer that has not begun when its token is over is looked at a second later. */
const LATE_MS = 3000;

/** Asks to be told of resources. */
function listen(...resourceSubscriptions: string[]) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { notifications: { resourceSubscriptions }, _meta };
  return { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params };
}

describe.each(PLATFORMS)('streams, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(async () => {
    await as.close();
  });

  async function start(parts: AppParts, more: Partial<McpAuthModuleOptions> = {}): Promise<RunningApp> {
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const options = { resources, clockToleranceSeconds: 0, ...more };
    return closeAfterTest(await startApp(options, { ...parts, platform }));
  }

  /** A token that is over in so many seconds, in whole seconds of the clock. */
  const token = (seconds: number, scope = 'notes:read') =>
    as.token({ aud: NOTES, scope, exp: Math.floor(Date.now() / 1000) + seconds });

  /** A token of the shortest life that is no less than so long, and when that is over. */
  async function brief(leastMs = 500): Promise<{ bearer: string; endsAt: number }> {
    const now = Date.now();
    const seconds = Math.ceil(((now % 1000) + leastMs) / 1000);
    return { bearer: await token(seconds), endsAt: (Math.floor(now / 1000) + seconds) * 1000 };
  }

  const bearing = (bearer: string, more: Record<string, string> = {}) => ({
    authorization: `Bearer ${bearer}`,
    ...more,
  });

  const listenTo = (app: RunningApp, bearer: string, ...uris: string[]) =>
    openStream(app.origin, '/notes', {
      method: 'POST',
      headers: bearing(bearer, { 'mcp-protocol-version': MODERN, 'mcp-method': 'subscriptions/listen' }),
      body: listen(...uris),
    });

  async function expectEnd(stream: OpenStream, endsAt: number): Promise<void> {
    expect(stream.status).toBe(200);
    expect(stream.headers['content-type']).toMatch(/^text\/event-stream/);
    expect(await settlesWithin(endsAt - Date.now() + LATE_MS, stream.ended)).toBe(true);
    expect(Date.now()).toBeGreaterThanOrEqual(endsAt);
    expect(await stream.ended).toBe(true);
  }

  describe.each(SESSION_ENDPOINTS)('in sessions of %s', (_, make) => {
    async function open(app: RunningApp, bearer: string) {
      const initialized = await app.send('/notes', {
        method: 'POST',
        headers: bearing(bearer, MCP_HEADERS),
        body: INITIALIZE,
      });
      expect(initialized.status).toBe(200);
      return { ...MCP_HEADERS, 'mcp-session-id': String(initialized.headers['mcp-session-id']) };
    }

    verifies(['SSE-03', 'F60', 'H25'], 'end with their token, and a new one opens another', async () => {
      const app = await start(make());
      const lasting = await token(300);
      const session = await open(app, lasting);
      const { bearer, endsAt } = await brief();
      const headers = bearing(bearer, session);
      const stream = await openStream(app.origin, '/notes', { headers });
      await expectEnd(stream, endsAt);
      expect(rejectedAs(await app.send('/notes', { headers }))).toEqual(invalidToken);
      const again = await openStream(app.origin, '/notes', { headers: bearing(lasting, session) });
      expect(again.status).toBe(200);
      expect(await settlesWithin(200, again.ended)).toBe(false);
      again.abort();
    });

    verifies(['SSE-03', 'F60', 'H25'], 'end with an error for a call that waits for its answer', async () => {
      const app = await start(make());
      const session = await open(app, await token(300));
      const { bearer, endsAt } = await brief();
      const call = await openStream(app.origin, '/notes', {
        method: 'POST',
        headers: bearing(bearer, session),
        body: toolCall('slow', 7),
      });
      await expectEnd(call, endsAt);
      const data = call
        .text()
        .split('\n')
        .filter((line) => line.startsWith('data: {'));
      expect(data.map((line) => JSON.parse(line.slice(6)) as unknown)).toEqual([
        {
          jsonrpc: '2.0',
          id: 7,
          error: {
            code: 401,
            message: 'The access token is invalid or expired',
            data: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
          },
        },
      ]);
    });
  });

  describe.each(LISTEN_ENDPOINTS)('of subscriptions with %s', (_, make) => {
    verifies(
      ['SSE-03', 'F60', 'H25'],
      'end with their token, whatever the client says it takes',
      async () => {
        const app = await start(make());
        const { bearer, endsAt } = await brief();
        const stream = await listenTo(app, bearer, 'note://1');
        await expectEnd(stream, endsAt);
        const again = await app.send('/notes', {
          method: 'POST',
          headers: bearing(bearer, { 'mcp-protocol-version': MODERN, 'mcp-method': 'subscriptions/listen' }),
          body: listen('note://1'),
        });
        expect(rejectedAs(again)).toEqual(invalidToken);
      },
    );

    verifies('SSE-04', 'tell nothing of a resource that the token may not read', async () => {
      const endpoint = make();
      const app = await start(endpoint);
      const reader = await token(300);
      const allowed = await token(300, 'notes:read notes:secret');
      const both = ['note://1', 'secret://top/1'] as const;
      for (const uris of [['secret://top/1'], both]) {
        const rejected = await app.send('/notes', {
          method: 'POST',
          headers: bearing(reader, { 'mcp-protocol-version': MODERN, 'mcp-method': 'subscriptions/listen' }),
          body: listen(...uris),
        });
        expect(rejectedAs(rejected)).toEqual(insufficientScope('notes:secret'));
      }
      const [narrow, wide] = [await listenTo(app, reader, 'note://1'), await listenTo(app, allowed, ...both)];
      await until(() => [narrow, wide].every((stream) => stream.text().includes('acknowledged')));
      endpoint.notifier?.().resourceUpdated('secret://top/1');
      endpoint.notifier?.().resourceUpdated('note://1');
      await until(() => [narrow, wide].every((stream) => updated(stream).includes('note://1')));
      expect([updated(narrow), updated(wide)]).toEqual([['note://1'], ['secret://top/1', 'note://1']]);
      for (const stream of [narrow, wide]) stream.abort();
    });

    const updated = (stream: OpenStream): string[] =>
      [
        ...stream
          .text()
          .matchAll(/"method":"notifications\/resources\/updated","params":(\{.*?"uri":"([^"]*)")/g),
      ].map((match) => match[2] ?? '');
  });

  verifies(
    ['SSE-03', 'F60'],
    'of plain routes end with their token; other answers take their time',
    async () => {
      const app = await start({ controllers: [StreamController] });
      const { bearer, endsAt } = await brief();
      const headers = bearing(bearer);
      const [stream, slow] = await Promise.all([
        openStream(app.origin, '/notes/events', { headers: { ...headers, accept: 'application/json' } }),
        app.send('/notes/slow', { headers }),
      ]);
      expect([slow.status, slow.text]).toEqual([200, 'done']);
      await expectEnd(stream, endsAt);
      expect(rejectedAs(await app.send('/notes/events', { headers }))).toEqual(invalidToken);
    },
  );

  verifies(['SSE-03', 'F60'], 'end each with its own token, whichever was opened first', async () => {
    const app = await start({ controllers: [StreamController] });
    const second = Math.floor(Date.now() / 1000);
    const streams: [OpenStream, number][] = [];
    for (const seconds of [4, 2, 3]) {
      const headers = bearing(await as.token({ aud: NOTES, scope: 'notes:read', exp: second + seconds }));
      streams.push([await openStream(app.origin, '/notes/events', { headers }), (second + seconds) * 1000]);
    }
    await Promise.all(streams.map(([stream, endsAt]) => expectEnd(stream, endsAt)));
  });

  verifies('WAY-35', 'let go of the observable of @Sse() once, and keep the connection', async () => {
    const app = await start({ controllers: [StreamController] });
    const { held } = StreamController;
    Object.assign(held, { subscribed: 0, released: 0 });
    const lasting = bearing(await token(300));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const other = await openStream(app.origin, '/notes/held', { headers: lasting });
    const { bearer, endsAt } = await brief();
    const stream = await openStream(app.origin, '/notes/held', { headers: bearing(bearer), agent });
    await until(() => held.subscribed === 2);
    expect(held.released).toBe(0);
    const [socket] = Object.values(agent.sockets).flat();
    await expectEnd(stream, endsAt);
    await until(() => held.released > 0, 200);
    expect(socket?.destroyed).toBe(false);
    const next = await openStream(app.origin, '/notes/failing', { headers: lasting, agent });
    expect([next.status, await next.ended]).toEqual([409, true]);
    expect(Object.values({ ...agent.sockets, ...agent.freeSockets }).flat()).toEqual([socket]);
    agent.destroy();
    expect(await settlesWithin(100, other.ended)).toBe(false);
    expect(held).toEqual({ subscribed: 2, released: 1 });
    other.abort();
    await until(() => held.released === 2);
  });

  verifies(['SSE-03', 'F60'], 'go on for the tolerance for clocks, and without the option', async () => {
    const { bearer, endsAt } = await brief();
    const tolerant = await start({ controllers: [StreamController] }, { clockToleranceSeconds: 1 });
    const endless = await start({ controllers: [StreamController] }, { endStreamsAtExpiry: false });
    const streams = await Promise.all(
      [tolerant, endless].map((app) => openStream(app.origin, '/notes/events', { headers: bearing(bearer) })),
    );
    const [one, other] = streams as [OpenStream, OpenStream];
    await expectEnd(one, endsAt + 1000);
    expect(await settlesWithin(100, other.ended)).toBe(false);
    other.abort();
  });

  verifies(
    'SSE-03',
    'end once, whatever their writer still writes to a client that does not read',
    async () => {
      const app = await start({ controllers: [StreamController] });
      const { bearer, endsAt } = await brief(1500);
      const stream = await openStream(app.origin, '/notes/ticking', { headers: bearing(bearer) }, false);
      await new Promise((resolve) => setTimeout(resolve, endsAt - Date.now() + 300));
      stream.read();
      expect(await stream.ended).toBe(true);
      expect(stream.text().endsWith('data: tick\n\n')).toBe(true);
      expect(stream.text().match(/tick/g)?.length).toBeLessThan(150);
    },
  );

  verifies(['SSE-03', 'F60'], "end by the application's clock", async () => {
    const clock = new TestClock();
    const app = await start({ controllers: [StreamController] }, { now: clock.now });
    const bearer = await token(300);
    clock.forward(299);
    const stream = await openStream(app.origin, '/notes/events', { headers: bearing(bearer) });
    expect(await settlesWithin(2000, stream.ended)).toBe(true);
  });

  verifies(['SSE-03', 'F60'], 'of a token that lasts longer than a timer can wait go on', async () => {
    const app = await start({ controllers: [StreamController] });
    const headers = bearing(await token(60 * 86_400));
    const stream = await openStream(app.origin, '/notes/events', { headers });
    expect(await settlesWithin(300, stream.ended)).toBe(false);
    stream.abort();
  });

  verifies('SSE-05', 'that clients leave, and rejections, leave nothing behind', async () => {
    const [, make] = LISTEN_ENDPOINTS[0] as (typeof LISTEN_ENDPOINTS)[number];
    const app = await start(make());
    const bearer = await token(300);
    const timers = countTimers();
    const round = async (): Promise<void> => {
      const streams = await Promise.all(Array.from({ length: 50 }, () => listenTo(app, bearer, 'note://1')));
      expect(streams.every(({ status }) => status === 200)).toBe(true);
      for (const stream of streams) stream.abort();
      await Promise.all(streams.map(({ ended }) => ended));
      const rejected = await Promise.all(
        Array.from({ length: 50 }, () =>
          app.send('/notes', {
            method: 'POST',
            headers: bearing(bearer, {
              'mcp-protocol-version': MODERN,
              'mcp-method': 'subscriptions/listen',
              connection: 'close',
            }),
            body: listen('secret://top/1'),
          }),
        ),
      );
      expect(rejected.every(({ status }) => status === 403)).toBe(true);
    };
    await round();
    await settled(app);
    const before = timers.live();
    for (let rounds = 0; rounds < 20; rounds++) await round();
    await settled(app);
    // Of the thousand streams and the thousand rejections; a few timers are of the connections themselves.
    expect(timers.live()).toBeLessThan(before + 100);
    timers.stop();
    const watchers = app.app.get(StreamExpiry, { strict: false });
    expect(watchers.watched).toBe(0);
    const last = await listenTo(app, bearer, 'note://1');
    expect(last.headers['content-type']).toBe('text/event-stream');
    expect(watchers.watched).toBe(1);
    last.abort();
  });
});

/** Counts timers that are set, those that keep no process alive included. */
function countTimers() {
  const live = new Set<number>();
  const hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout') live.add(id);
    },
    destroy: (id) => {
      live.delete(id);
    },
  }).enable();
  return { live: () => live.size, stop: () => hook.disable() };
}

/** Waits until the server has noticed that its clients are gone. */
async function settled(app: RunningApp): Promise<void> {
  const server = app.app.getHttpServer() as {
    getConnections(give: (error: unknown, count: number) => void): void;
  };
  const count = (): Promise<number> =>
    new Promise((resolve) => {
      server.getConnections((_, connections) => {
        resolve(connections);
      });
    });
  while ((await count()) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await new Promise((resolve) => setTimeout(resolve, 50));
}
