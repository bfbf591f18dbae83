import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Controller, Get, type INestApplication, Post, Res, UseGuards } from '@nestjs/common';
import { afterEach, describe, expect } from 'vitest';
import { AuthContext, BearerAuthGuard, McpAuthEvents, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { nodeRequestOf, nodeResponseOf, type PlatformResponse } from '../../../lib/platform/node-message.js';
import { PLATFORMS, type RunningApp, start } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { TestClock } from '../../fixtures/clock.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ISSUER, NOTES } from '../../fixtures/resources.js';
import { openStream } from '../../fixtures/streams.js';
import { verifies } from '../../verifies.js';

/** What an application keeps for the course of each request: here, the request itself. */
const courses = new AsyncLocalStorage<{ readonly who: unknown; readonly request: object }>();

/** The request in whose course code runs, by the application's own storage and by the package's. */
interface Seen {
  readonly course: unknown;
  readonly caller: unknown;
}

const SESSION = '00000000-0000-4000-8000-000000000000';

const NOBODY: Seen = { course: undefined, caller: undefined };

describe.each(PLATFORMS)('the async context of a request, on %s', (platform) => {
  let running: RunningApp | undefined;
  /** What listeners of responses saw, by whose response it was. */
  const closed: [who: unknown, event: string, seen: Seen][] = [];
  const requests: WeakRef<object>[] = [];

  afterEach(() => {
    running = undefined;
    closed.length = 0;
    requests.length = 0;
  });

  const seen = (): Seen => ({
    course: courses.getStore()?.who,
    caller: running?.app.get(AuthContext, { strict: false }).current()?.subject,
  });

  @Controller('notes')
  @UseGuards(BearerAuthGuard)
  class Notes {
    @Get()
    async list(): Promise<Seen> {
      await delay(1);
      return seen();
    }

    @Post()
    open(@Res() response: PlatformResponse): void {
      if ('hijack' in response) response.hijack();
      nodeResponseOf(response).setHeader('mcp-session-id', SESSION).end();
    }

    @Get('events')
    events(@Res() response: PlatformResponse): void {
      if ('hijack' in response) response.hijack();
      const node = nodeResponseOf(response);
      const who = courses.getStore()?.who;
      for (const event of ['finish', 'close']) node.on(event, () => closed.push([who, event, seen()]));
      node.writeHead(200, { 'content-type': 'text/event-stream' });
      node.write(': open\n\n');
    }
  }

  async function startNotes(options: McpAuthModuleOptions): Promise<RunningApp> {
    const prepare = (nest: INestApplication): void => {
      nest.use((request: { headers: Record<string, unknown> }, _: unknown, next: () => void) => {
        const node = nodeRequestOf(request);
        requests.push(new WeakRef(node));
        courses.run({ who: request.headers['x-who'], request: node }, next);
      });
    };
    running = await start(options, { controllers: [Notes], prepare, platform });
    return running;
  }

  const as = (who: string, bearer = who) => ({
    headers: { authorization: `Bearer ${bearer}`, 'x-who': who, connection: 'close' },
  });

  /** A verifier that takes so many milliseconds for a token, and what listeners of its `signal` see. */
  function slowly(times: Readonly<Record<string, number>>) {
    const told: [token: string, seen: Seen][] = [];
    const verifier = async (token: string, { signal }: { signal: AbortSignal }): Promise<object> => {
      signal.addEventListener('abort', () => told.push([token, seen()]));
      await delay(times[token] ?? 0);
      const exp = Math.floor(Date.now() / 1000) + 300;
      return { iss: ISSUER, aud: NOTES, sub: token, client_id: 'c1', exp };
    };
    const server = { metadata: { issuer: ISSUER }, mcpCompliance: 'off' } as const;
    const resources = { resource: NOTES, authorizationServers: [server] };
    return { told, options: { resources, verifier, verifierTimeoutMs: 100 } as McpAuthModuleOptions };
  }

  verifies('WAY-31', 'is not seen by the verifier of another request that times out', async () => {
    const { told, options } = slowly({ alice: 20, bob: 500 });
    const app = await startNotes(options);
    const [alice, bob] = await Promise.all([
      app.send('/notes', as('alice')),
      delay(10).then(() => app.send('/notes', as('bob'))),
    ]);
    expect([alice.status, alice.json]).toEqual([200, { course: 'alice', caller: 'alice' }]);
    expect(bob.status).toBe(503);
    expect(told).toEqual([['bob', NOBODY]]);
  });

  verifies('WAY-31', 'is not kept by the verifications of later requests', async () => {
    const { options } = slowly({ first: 20, later: 200 });
    const app = await startNotes(options);
    const collect = collector();
    const isLeft = (): boolean => requests.length === 0 || requests[0]?.deref() !== undefined;
    const sent = [app.send('/notes', as('first'))];
    // A second, as Node itself keeps the request in which it has looked at the time for so long.
    for (let rounds = 0; rounds < 40 && isLeft(); rounds++) {
      sent.push(app.send('/notes', as('later')));
      await delay(50);
      collect();
    }
    expect(isLeft()).toBe(false);
    expect((await Promise.all(sent))[0]?.status).toBe(200);
  });

  verifies('WAY-31', 'is not seen by listeners of the streams of others that end at expiry', async () => {
    const authorizationServer = closeAfterTest(await LoopbackAuthorizationServer.start());
    const clock = new TestClock();
    const resources = { resource: NOTES, authorizationServers: [authorizationServer.issuer] };
    const app = await startNotes({ resources, now: clock.now, clockToleranceSeconds: 0 });
    const exp = Math.floor(Date.now() / 1000) + 300;
    clock.forward(exp - Date.now() / 1000 - 0.7);
    const streams = await Promise.all(
      ['alice', 'bob'].map(async (who) =>
        openStream(
          app.origin,
          '/notes/events',
          as(who, await authorizationServer.token({ aud: NOTES, sub: who, exp })),
        ),
      ),
    );
    expect(streams.map(({ status }) => status)).toEqual([200, 200]);
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual([true, true]);
    await expect.poll(() => closed.length).toBe(4);
    for (const who of ['alice', 'bob']) {
      for (const event of ['finish', 'close']) expect(closed).toContainEqual([who, event, NOBODY]);
    }
  });

  verifies(
    ['WAY-31', 'WAY-28'],
    'is not seen by listeners of streams that end as their session passes to it',
    async () => {
      const authorizationServer = closeAfterTest(await LoopbackAuthorizationServer.start());
      const resource = { resource: NOTES, authorizationServers: [authorizationServer.issuer] };
      const app = await startNotes({ resources: { ...resource, allowAnonymous: true } });
      const nobody = { 'x-who': 'nobody', 'mcp-session-id': SESSION };
      const opened = await app.send('/notes', {
        method: 'POST',
        headers: { 'x-who': 'nobody' },
        body: { jsonrpc: '2.0', id: 1, method: 'initialize' },
      });
      expect(opened.headers['mcp-session-id']).toBe(SESSION);
      const stream = await openStream(app.origin, '/notes/events', { headers: nobody });
      const bearer = await authorizationServer.token({ aud: NOTES, sub: 'bob' });
      const { headers } = as('bob', bearer);
      const answer = await app.send('/notes', { headers: { ...headers, 'mcp-session-id': SESSION } });
      expect(answer.json).toEqual({ course: 'bob', caller: 'bob' });
      expect(await stream.ended).toBe(true);
      await expect.poll(() => closed.length).toBe(2);
      for (const event of ['finish', 'close']) expect(closed).toContainEqual(['nobody', event, NOBODY]);
    },
  );

  verifies('WAY-31', 'is not that of fetches which others wait for: metadata and keys', async () => {
    const authorizationServer = closeAfterTest(await LoopbackAuthorizationServer.start());
    const fetched: [url: string, seen: Seen][] = [];
    const told: Seen[] = [];
    const clock = new TestClock();
    const app = await startNotes({
      resources: { resource: NOTES, authorizationServers: [authorizationServer.issuer] },
      discovery: 'lazy',
      now: clock.now,
      fetch: (url, init) => {
        fetched.push([new URL(url as string).pathname, seen()]);
        return fetch(url, init);
      },
    });
    app.app.get(McpAuthEvents, { strict: false }).on('keys_refreshed', () => told.push(seen()));
    const visit = async (who: string): Promise<unknown> => {
      const exp = Math.floor(clock.now().getTime() / 1000) + 300;
      const bearer = await authorizationServer.token({ aud: NOTES, sub: who, exp });
      return (await app.send('/notes', as(who, bearer))).json;
    };
    const callers = ['alice', 'bob'].map((who) => ({ course: who, caller: who }));
    expect(await Promise.all(['alice', 'bob'].map(visit))).toEqual(callers);
    clock.forward(7200); // renewed in the course of a request
    expect(await Promise.all(['alice', 'bob'].map(visit))).toEqual(callers);
    await expect.poll(() => told).toEqual([NOBODY]);
    const metadata = ['/.well-known/oauth-authorization-server', NOBODY];
    const keys = ['/jwks', NOBODY];
    expect(fetched).toEqual([metadata, keys, metadata, keys]);
  });

  verifies('WAY-31', 'is not that of introspection, be it at once or queued', async () => {
    const authorizationServer = closeAfterTest(await TestAuthorizationServer.start());
    const client = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };
    const fetched: Seen[] = [];
    const server = {
      issuer: authorizationServer.issuer,
      mode: 'introspection',
      introspection: { ...client, maxConcurrentRequests: 1 },
    } as const;
    const app = await startNotes({
      resources: { resource: NOTES, authorizationServers: [server] },
      fetch: (url, init) => {
        fetched.push(seen());
        return fetch(url, init);
      },
    });
    fetched.length = 0;
    const alice = authorizationServer.issueOpaqueToken({ audience: NOTES, sub: 'alice' });
    const bob = authorizationServer.issueOpaqueToken({ audience: NOTES, sub: 'bob' });
    const sent = [as('alice', alice), as('other', alice), as('bob', bob)];
    const answers = await Promise.all(sent.map((each) => app.send('/notes', each)));
    expect(answers.map(({ json }) => json)).toEqual([
      { course: 'alice', caller: 'alice' },
      { course: 'other', caller: 'alice' },
      { course: 'bob', caller: 'bob' },
    ]);
    expect(fetched).toEqual(fetched.map(() => NOBODY));
    expect(fetched.length).toBeGreaterThanOrEqual(2);
  });
});

/** What has garbage collected at once. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
