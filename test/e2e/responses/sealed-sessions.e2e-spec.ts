import { randomBytes, randomUUID } from 'node:crypto';
import { Controller, Get, Header, Headers, Post, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BearerAuthGuard, type McpAuthModuleOptions, ProtectedResource } from 'nestjs-mcp-auth';
import { RecordingLogger, type RunningApp, start, startApp, startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { type HttpAnswer, sendRaw } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { ADMIN, NOTES } from '../../fixtures/resources.js';
import {
  SESSION_HEADS,
  type SharedAnswer,
  sharedTransport,
  type SharedTransport,
} from '../../fixtures/shared-sessions.js';
import { verifies } from '../../verifies.js';

const [ONE, TWO, THREE] = ['one', 'two', 'three'].map(
  (name) => name + randomBytes(32).toString('base64url'),
) as [string, string, string];

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const SEALED = new RegExp(`^(${UUID})\\.([\\w-]{43})$`);

const PAGE = 'https://page.example.com';

interface Asked {
  readonly bearer?: string | undefined;
  readonly session?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

describe('a session with a sealed id', () => {
  let as: LoopbackAuthorizationServer;
  let other: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    other = await LoopbackAuthorizationServer.start();
  });

  afterAll(async () => {
    await as.close();
    await other.close();
  });

  const token = (claims: object = {}, server = as): Promise<string> =>
    server.token({ aud: [NOTES, ADMIN], scope: 'notes:read', ...claims });

  function optionsWith(
    secrets: readonly [string, string?] = [ONE],
    more: Partial<McpAuthModuleOptions> = {},
    allowAnonymous = false,
  ): McpAuthModuleOptions {
    const resources = {
      resource: NOTES,
      authorizationServers: [as.issuer, other.issuer],
      allowedOrigins: [PAGE],
      allowAnonymous,
    };
    return { resources, sessionBinding: { secrets }, ...more };
  }

  /** One of several processes: they have the store of their transports in common. */
  const startReplica = (sessions: Set<string>, ...options: Parameters<typeof optionsWith>) =>
    start(optionsWith(...options), { controllers: [sharedTransport({ sessions })] });

  const startOne = (transport: Partial<SharedTransport> = {}, ...options: Parameters<typeof optionsWith>) =>
    start(optionsWith(...options), {
      controllers: [sharedTransport({ sessions: new Set(), ...transport })],
    });

  async function ask(app: RunningApp, method: string, more: Asked = {}): Promise<HttpAnswer> {
    const bearer = 'bearer' in more ? more.bearer : await token();
    const headers = {
      ...MCP_HEADERS,
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(more.session !== undefined && { 'mcp-session-id': more.session }),
      ...more.headers,
    };
    return app.send(more.path ?? '/notes', { method, headers, body: more.body });
  }

  async function open(app: RunningApp, more: Asked = {}): Promise<string> {
    const opened = await ask(app, 'POST', { body: INITIALIZE, ...more });
    expect(opened.status).toBeLessThan(202);
    return String(opened.headers['mcp-session-id']);
  }

  const call = (app: RunningApp, session: string, more: Asked = {}): Promise<HttpAnswer> =>
    ask(app, 'POST', { session, body: toolCall('x'), ...more });

  const idOf = (sealed: string): string => sealed.slice(0, sealed.lastIndexOf('.'));

  async function expectUsable(app: RunningApp, session: string, more: Asked = {}): Promise<HttpAnswer> {
    const answer = await call(app, session, more);
    const id = idOf(session);
    expect(answer.json).toMatchObject({ isKnown: true, ids: [id, id, id] });
    return answer;
  }

  /** The transport gets a fresh id in place of the one that was sent, as if it was made up. */
  async function expectUnknown(app: RunningApp, session: string, more: Asked = {}): Promise<void> {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const answer = await ask(app, method, { session, headers: { 'last-event-id': '7' }, ...more });
      const { isKnown, ids, lastEventId } = answer.json as SharedAnswer;
      const shown = [answer.status, answer.headers['mcp-session-id'], isKnown, lastEventId];
      expect([session, ...shown]).toEqual([session, 404, undefined, false, undefined]);
      expect(ids).toEqual([ids[0], ids[0], ids[0]]);
      expect(ids[0]).toMatch(new RegExp(`^${UUID}$`));
      expect(session).not.toContain(ids[0]);
    }
  }

  for (const [way, send] of SESSION_HEADS) {
    for (const earlyAuthentication of [false, true]) {
      const layers = earlyAuthentication ? 'two layers' : 'a guard';
      verifies(
        'SES-30',
        `has a code for the client and none for a transport that sends it by ${way}, behind ${layers}`,
        async () => {
          const app = await startOne({ send }, [ONE], { earlyAuthentication });
          for (const headers of [{}, { 'mcp-session-id': '' }]) {
            const session = await open(app, { headers });
            expect(session).toMatch(SEALED);
            const answer = await expectUsable(app, session, { headers: { 'last-event-id': '7' } });
            expect((answer.json as SharedAnswer).lastEventId).toBe('7');
            // Clients may take over the id of any answer.
            expect(answer.headers['mcp-session-id']).toBe(session);
            await expectUnknown(app, session, { bearer: await token({ sub: 'u2' }) });
          }
        },
      );
    }
  }

  verifies(
    ['SES-30', 'SES-02', 'F93', 'H09'],
    'is unknown to every other caller, and to a caller without a token',
    async () => {
      const app = await startOne({}, [ONE], {}, true);
      const session = await open(app);
      for (const bearer of [
        await token({ sub: 'u2' }),
        await token({ sub: 'U1' }),
        await token({ sub: 'c1' }),
        await token({ client_id: 'c2' }),
        await token({}, other),
        undefined,
      ]) {
        await expectUnknown(app, session, { bearer });
        await expectUsable(app, session, { bearer: await token({ jti: randomUUID() }) });
      }
    },
  );

  verifies(['SES-30', 'SES-02'], 'is unknown at another resource', async () => {
    const sessions = new Set<string>();
    const resource = (name: string, url: string) => ({
      name,
      resource: url,
      authorizationServers: [as.issuer],
    });
    const at = (path: string) =>
      sharedTransport({
        sessions,
        path,
        decorators: [UseGuards(BearerAuthGuard), ProtectedResource(path)],
      });
    const resources = [resource('notes', NOTES), resource('admin', ADMIN)];
    const app = await start(
      { resources, sessionBinding: { secrets: [ONE] } },
      { controllers: [at('notes'), at('admin')] },
    );
    const session = await open(app);
    await expectUnknown(app, session, { path: '/admin' });
    await expectUsable(app, await open(app, { path: '/admin' }), { path: '/admin' });
    await expectUsable(app, session);
  });

  verifies('SES-30', 'has a seal for each resource that it was opened for', async () => {
    const resource = (name: string, url: string) => ({
      name,
      resource: url,
      authorizationServers: [as.issuer],
    });
    const decorators = [UseGuards(BearerAuthGuard), ProtectedResource('admin')];
    const sessions = new Set<string>();
    const endpoint = sharedTransport({ sessions, decorators });
    const resources = [resource('notes', NOTES), resource('admin', ADMIN)];
    const app = await start(
      { resources, earlyAuthentication: true, sessionBinding: { secrets: [ONE] } },
      { controllers: [endpoint] },
    );
    const session = await open(app);
    const [id = ''] = sessions;
    expect(session).toMatch(new RegExp(`^${id}\\.[\\w-]{43}\\.[\\w-]{43}$`));
    const answer = await call(app, session);
    expect(answer.json).toEqual({ isKnown: true, ids: [id, id, id] });
    expect(answer.headers['mcp-session-id']).toBe(session);
    for (const text of [idOf(session), id]) await expectUnknown(app, text);
    await expectUnknown(app, session, { bearer: await token({ sub: 'u2' }) });
  });

  verifies(
    ['SES-31', 'SES-02'],
    'continues at another replica and after a restart, for its caller alone',
    async () => {
      const sessions = new Set<string>();
      const stopped = await startApp(optionsWith(), { controllers: [sharedTransport({ sessions })] });
      const second = await startReplica(sessions);
      const session = await open(stopped);
      for (const app of [stopped, second]) {
        await expectUsable(app, session);
        await expectUnknown(app, session, { bearer: await token({ sub: 'u2' }) });
      }
      await stopped.close();
      const restarted = await startReplica(sessions);
      await expectUsable(restarted, session, { bearer: await token({ jti: 'j2' }) });
      await expectUnknown(restarted, session, { bearer: await token({ client_id: 'c2' }) });
      expect((await ask(restarted, 'DELETE', { session })).status).toBe(200);
      expect((await call(second, session)).status).toBe(404);
    },
  );

  verifies(['SES-32', 'SES-31'], 'outlives the replacement of its secret, and gets the new one', async () => {
    const sessions = new Set<string>();
    const old = await startReplica(sessions, [ONE]);
    const both = await startReplica(sessions, [TWO, ONE]);
    const next = await startReplica(sessions, [TWO]);
    const never = await startReplica(sessions, [THREE]);
    const session = await open(old);
    await expectUnknown(next, session);
    await expectUnknown(never, session);
    const renewed = String((await expectUsable(both, session)).headers['mcp-session-id']);
    expect([renewed === session, idOf(renewed)]).toEqual([false, idOf(session)]);
    for (const app of [both, next]) await expectUsable(app, renewed);
    for (const app of [old, never]) await expectUnknown(app, renewed);
    await expectUsable(both, session);
    await expectUsable(next, await open(both));
  });

  verifies(['SES-34', 'H09'], 'is unknown with one character changed, wherever', async () => {
    const app = await startOne();
    const bearer = await token();
    const [session, own] = [await open(app), await open(app)];
    const changed = Array.from(session, (character, at) => {
      const another = character === 'a' ? 'b' : character === '.' ? '-' : 'a';
      return session.slice(0, at) + another + session.slice(at + 1);
    });
    const [id, code = ''] = [idOf(session), session.split('.').at(-1)];
    const made = [
      ...changed,
      session.slice(0, -1),
      session.slice(1),
      `${session}a`,
      `a${session}`,
      `${session}=`,
      `${session}.`,
      `${session}.${code}`,
      `${id}..${code}`,
      `${id}.${code}${code}`,
      `${idOf(own)}.${code}`,
      `${id}.${own.split('.').at(-1) ?? ''}`,
      session.toUpperCase(),
      session.replace('.', '%2e'),
      `"${session}"`,
      id,
      `${id}.`,
      `.${code}`,
      code,
      '.',
      '..',
      '__proto__',
      `__proto__.${code}`,
      `${'x'.repeat(10_000)}.${code}`,
      `${id}.${code.repeat(200)}`,
      '.'.repeat(10_000),
      `${id}.${'ä'.repeat(43)}`,
    ];
    for (const each of made) {
      const answer = await call(app, each, { bearer });
      expect([each, answer.status, answer.headers['mcp-session-id']]).toEqual([each, 404, undefined]);
      expect(answer.text).not.toContain(id);
    }
    for (const each of [session, own]) await expectUsable(app, each);
  });

  verifies(['SES-34', 'H09'], 'is unknown if it is sent in two lines', async () => {
    const app = await startOne();
    const bearer = await token();
    const [session, own] = [await open(app), await open(app)];
    for (const ids of [
      [session, session],
      [own, session],
      ['', session],
      [session, ''],
      [`${own}, ${session}`],
    ]) {
      const lines = ids.map((each) => `Mcp-Session-Id: ${each}\r\n`).join('');
      const body = JSON.stringify(toolCall('x'));
      const answer = await sendRaw(
        app.origin,
        `POST /notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${bearer}\r\n` +
          `Accept: ${MCP_HEADERS.accept}\r\nContent-Type: application/json\r\n${lines}` +
          `Content-Length: ${String(body.length)}\r\n\r\n${body}`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    }
    await expectUsable(app, session);
  });

  verifies(['SES-34', 'SES-30'], 'may have an id with any visible characters, and dots', async () => {
    const code = 'A'.repeat(43);
    const log = new RecordingLogger();
    const ids = [
      'a.b.c',
      '.',
      '...',
      `x.${code}`,
      `${code}.${code}`,
      '"a":["b"]',
      "!#$%&'()*+,/:;<=>?@[]^`{|}~",
    ];
    const left = [...ids];
    const generate = (): string => left.shift() ?? '';
    const endpoint = sharedTransport({ sessions: new Set(), generate });
    const app = await start(optionsWith(), { controllers: [endpoint], log });
    for (const id of ids) {
      const session = await open(app);
      expect(idOf(session)).toBe(id);
      await expectUsable(app, session);
      if (id.length > 1) await expectUnknown(app, id);
      expect((await call(app, session, { bearer: await token({ sub: 'u2' }) })).status).toBe(404);
    }
    expect(log.warnings.filter((warning) => warning.includes('session id'))).toHaveLength(1);
  });

  verifies('SES-30', 'is not sealed if its request is rejected, or opens none', async () => {
    const sessions = new Set<string>();
    const reject = sharedTransport({
      sessions,
      send: (response, id) => response.writeHead(400, { 'mcp-session-id': id }),
    });
    const app = await start(optionsWith(), { controllers: [reject] });
    const { headers } = await ask(app, 'POST', { body: INITIALIZE });
    expect(sessions).toEqual(new Set([headers['mcp-session-id']]));
    const answering = await startReplica(sessions);
    const answer = await ask(answering, 'POST', { body: toolCall('x') });
    await expectUnknown(answering, String(answer.headers['mcp-session-id']));
  });

  verifies('SES-30', 'is sealed if the platform sends the answer', async () => {
    const id = randomUUID();
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class OwnEndpoint {
      @Post()
      @Header('Mcp-Session-Id', id)
      open(@Headers('mcp-session-id') seen?: string) {
        return { seen };
      }

      @Get()
      read(@Headers() { 'mcp-session-id': seen }: Record<string, string>) {
        return { seen };
      }
    }
    const app = await start(optionsWith(), { controllers: [OwnEndpoint] });
    const session = await open(app);
    expect(session).toMatch(SEALED);
    expect((await ask(app, 'GET', { session })).json).toEqual({ seen: id });
    const answer = await call(app, session);
    expect([answer.json, answer.headers['mcp-session-id']]).toEqual([{ seen: id }, session]);
    const stolen = { session, bearer: await token({ sub: 'u2' }) };
    expect((await ask(app, 'GET', stolen)).json).toEqual({ seen: expect.not.stringContaining(id) as string });
  });

  verifies('SES-30', 'is sealed if only the handler reads the body', async () => {
    for (const earlyAuthentication of [false, true]) {
      const app = await startCreated(optionsWith([ONE], { earlyAuthentication }), {
        controllers: [sharedTransport({ sessions: new Set() })],
        factoryOptions: { bodyParser: false },
        platform: 'express',
      });
      const session = await open(app);
      await expectUsable(app, session);
      await expectUnknown(app, session, { bearer: await token({ sub: 'u2' }) });
    }
  });

  verifies(['SES-33', 'SES-31', 'H09'], 'stays without a caller if none opened it', async () => {
    const sessions = new Set<string>();
    const [first, second] = [
      await startReplica(sessions, [ONE], {}, true),
      await startReplica(sessions, [ONE], {}, true),
    ];
    const session = await open(first, { bearer: undefined });
    for (const app of [first, second]) {
      await expectUsable(app, session, { bearer: undefined });
      await expectUnknown(app, session, { bearer: await token() });
      await expectUnknown(app, session, { bearer: await token({ sub: 'u2' }) });
      await expectUsable(app, session, { bearer: undefined });
    }
    // The caller opens a session of its own, as clients must after a 404.
    const own = await open(second);
    await expectUsable(first, own);
    await expectUnknown(first, own, { bearer: undefined });
  });

  it('exposes its id to pages of other origins', async () => {
    const app = await startOne();
    const answer = await ask(app, 'POST', { body: INITIALIZE, headers: { origin: PAGE } });
    expect(answer.headers).toMatchObject({
      'mcp-session-id': expect.stringMatching(SEALED) as string,
      'access-control-allow-origin': PAGE,
      'access-control-expose-headers': expect.stringContaining('Mcp-Session-Id') as string,
    });
  });
});
