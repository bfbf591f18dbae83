import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { RecordingLogger, type RunningApp, start } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { TestClock } from '../../fixtures/clock.js';
import { type HttpAnswer, sendRaw } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES } from '../../fixtures/resources.js';
import { SESSION_MOUNTINGS, type SessionMounting } from '../../fixtures/session-endpoints.js';
import { openStream, settlesWithin } from '../../fixtures/streams.js';
import { verifies } from '../../verifies.js';

const { noToken } = notesRejections('notes:read');

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

/** Everything that a session id can be used for. */
const USES: readonly [string, object | undefined, Record<string, string>?][] = [
  ['POST', toolCall('whoami')],
  ['POST', { jsonrpc: '2.0', method: 'notifications/initialized' }],
  ['POST', { jsonrpc: '2.0', id: 1, method: 'ping' }],
  ['POST', INITIALIZE],
  ['GET', undefined],
  ['GET', undefined, { 'last-event-id': 'x_1_y' }],
  ['GET', undefined, { 'mcp-protocol-version': '2026-07-28' }],
  ['GET', undefined, { accept: 'application/json' }],
  ['DELETE', undefined],
  ['DELETE', undefined, { 'mcp-protocol-version': '2026-07-28' }],
];

/** What an answer shows: all but its date. */
function shown({ status, headers, text }: HttpAnswer): object {
  return { status, headers: { ...headers, date: undefined }, text };
}

describe.each(SESSION_MOUNTINGS.map((mounting) => [mounting.way, mounting] as const))(
  'a session of %s',
  (_, mounting) => {
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
      server.token({ aud: NOTES, scope: 'notes:read', ...claims });

    function startWith(
      more: Partial<McpAuthModuleOptions> = {},
      { allowAnonymous = false, generate }: { allowAnonymous?: boolean; generate?: () => string } = {},
      log?: RecordingLogger,
    ): Promise<RunningApp> {
      const resources = {
        resource: NOTES,
        authorizationServers: [as.issuer, other.issuer],
        ...(!allowAnonymous && { requiredScopes: ['notes:read'] }),
        allowAnonymous,
      };
      const parts = (mounting satisfies SessionMounting).parts(generate);
      return start({ resources, ...mounting.options, ...more }, { ...parts, ...(log && { log }) });
    }

    function ask(
      app: RunningApp,
      bearer: string | undefined,
      [method, body, more]: (typeof USES)[number],
      session?: string | string[],
    ): Promise<HttpAnswer> {
      const headers: Record<string, string | string[]> = { ...MCP_HEADERS, ...more };
      if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
      if (session !== undefined) headers['mcp-session-id'] = session;
      return app.send('/notes', { method, headers, body });
    }

    async function open(app: RunningApp, bearer: string | undefined): Promise<string> {
      const opened = await ask(app, bearer, ['POST', INITIALIZE]);
      expect(opened.status).toBe(200);
      const session = String(opened.headers['mcp-session-id']);
      const notification = { jsonrpc: '2.0', method: 'notifications/initialized' };
      expect((await ask(app, bearer, ['POST', notification], session)).status).toBe(202);
      return session;
    }

    const whoami = (app: RunningApp, bearer: string | undefined, session: string): Promise<HttpAnswer> =>
      ask(app, bearer, ['POST', toolCall('whoami')], session);

    async function expectAlive(app: RunningApp, bearer: string | undefined, session: string): Promise<void> {
      expect((await whoami(app, bearer, session)).text).toMatch(/it is \w/);
    }

    /** Each use by somebody else is answered as a session that never was, and the session goes on. */
    async function expectUnknown(
      app: RunningApp,
      session: string,
      by: string | undefined,
      owner: string | undefined,
    ): Promise<void> {
      for (const use of USES) {
        const answer = shown(await ask(app, by, use, session));
        expect(answer).toEqual(shown(await ask(app, by, use, UNKNOWN)));
        expect(answer).toMatchObject({ status: use[2]?.['accept'] ? expect.any(Number) : 404 });
        await expectAlive(app, owner, session);
      }
    }

    verifies(
      ['SES-02', 'F93', 'H09'],
      'does not exist for another subject, another client and another issuer',
      async () => {
        const app = await startWith();
        const owner = await token();
        const session = await open(app, owner);
        for (const by of [
          await token({ sub: 'u2' }),
          await token({ client_id: 'c2' }),
          await token({}, other),
          await token({ sub: 'c1' }),
          await token({ sub: 'U1' }),
        ])
          await expectUnknown(app, session, by, owner);
      },
    );

    verifies(['SES-02', 'F93'], 'lives on with other tokens of its caller, until it is ended', async () => {
      const app = await startWith();
      const session = await open(app, await token());
      for (const claims of [{ jti: 'j2' }, { scope: 'notes:read notes:write' }, { acr: 'mfa' }])
        await expectAlive(app, await token(claims), session);
      const ended = await ask(app, await token({ jti: 'j3' }), ['DELETE', undefined], session);
      expect(ended.status).toBe(200);
      expect((await whoami(app, await token(), session)).status).toBe(404);
    });

    verifies(['SES-02', 'H09'], 'of a caller with a token is not reached without one', async () => {
      const app = await startWith({}, { allowAnonymous: true });
      await expectUnknown(app, await open(app, await token()), undefined, await token());
    });

    verifies(
      ['WAY-28', 'SES-02', 'H09'],
      'of an anonymous client passes to its first caller, once',
      async () => {
        const app = await startWith({}, { allowAnonymous: true });
        const session = await open(app, undefined);
        await expectAlive(app, undefined, session);
        const stream = await openStream(app.origin, '/notes', {
          headers: { ...MCP_HEADERS, accept: 'text/event-stream', 'mcp-session-id': session },
        });
        expect(stream.status).toBe(200);
        expect(await settlesWithin(50, stream.ended)).toBe(false);
        expect((await whoami(app, await token(), session)).text).toContain('it is u1');
        expect(await settlesWithin(1000, stream.ended)).toBe(true);
        for (const by of [undefined, await token({ sub: 'u2' }), await token({ client_id: 'c2' })])
          await expectUnknown(app, session, by, await token({ jti: 'j2' }));
      },
    );

    verifies(['SES-01', 'H09'], 'is no credential', async () => {
      const app = await startWith();
      const session = await open(app, await token());
      for (const use of USES) expect(rejectedAs(await ask(app, undefined, use, session))).toEqual(noToken);
      await expectAlive(app, await token(), session);
    });

    verifies(['SES-02', 'H09'], 'is not reached by other spellings of its id', async () => {
      const app = await startWith();
      const [owner, session] = [await token(), await open(app, await token())];
      const own = await open(app, await token({ sub: 'u2' }));
      const stranger = await token({ sub: 'u2' });
      for (const id of [
        [session, session],
        [own, session],
        [session, own],
        `${own}, ${session}`,
        `"${session}"`,
      ]) {
        const [header, rest] = typeof id === 'string' ? [[id], ''] : [id, ''];
        const lines = header.map((each) => `Mcp-Session-Id: ${each}\r\n`).join('');
        for (const spelled of [lines, lines.toUpperCase(), lines.replace(': ', ':\t ')]) {
          const body = JSON.stringify(toolCall('whoami'));
          const answer = await sendRaw(
            app.origin,
            `POST /notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${stranger}\r\n` +
              `Accept: ${MCP_HEADERS.accept}\r\nContent-Type: application/json\r\n${spelled}` +
              `Content-Length: ${String(body.length)}\r\n\r\n${body}${rest}`,
          );
          expect(answer).toMatch(/^HTTP\/1\.1 404 /);
        }
      }
      for (const id of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
        expect((await whoami(app, stranger, id)).status).toBe(404);
      await expectAlive(app, owner, session);
      await expectAlive(app, stranger, own);
    });

    verifies('SES-02', 'never mixes with 49 others that run at the same time', async () => {
      const app = await startWith();
      const callers = await Promise.all(
        Array.from({ length: 50 }, async (__, n) => {
          const bearer = await token({ sub: `u${String(n)}x` });
          return { name: `it is u${String(n)}x`, bearer, session: await open(app, bearer) };
        }),
      );
      expect(new Set(callers.map(({ session }) => session)).size).toBe(50);
      const own = callers.flatMap((each) => [each, each, each]);
      const answers = await Promise.all(own.map(({ bearer, session }) => whoami(app, bearer, session)));
      expect(answers.map(({ text }, n) => text.includes(`${own[n]?.name ?? ''}"`))).toEqual(
        own.map(() => true),
      );
      const crossed = await Promise.all(
        callers.map(({ bearer }, n) => whoami(app, bearer, callers[(n + 1) % 50]?.session ?? '')),
      );
      expect(crossed.map(({ status }) => status)).toEqual(callers.map(() => 404));
    });

    verifies('SES-02', 'is forgotten when it was not used for the time of the options', async () => {
      const clock = new TestClock();
      const app = await startWith({ now: clock.now, sessionBinding: { maxIdleSeconds: 100 } });
      const fresh = (): Promise<string> => token({ exp: Math.floor(clock.now().getTime() / 1000) + 300 });
      const session = await open(app, await fresh());
      clock.forward(90);
      await expectAlive(app, await fresh(), session);
      clock.forward(90);
      await expectAlive(app, await fresh(), session);
      clock.forward(101);
      expect((await whoami(app, await fresh(), session)).status).toBe(404);
      await expectAlive(app, await fresh(), await open(app, await fresh()));
    });

    verifies('SES-02', 'is bound no more than the options say', async () => {
      const app = await startWith({ sessionBinding: { maxSessions: 20 } });
      const [owner, flooder] = [await token(), await token({ sub: 'u2' })];
      const session = await open(app, owner);
      const first = await open(app, flooder);
      for (let n = 0; n < 30; n++) await open(app, flooder);
      await expectAlive(app, owner, session);
      expect((await whoami(app, flooder, first)).status).toBe(404);
    });

    verifies('WAY-15', 'is not pushed out by another person, however many clients that has', async () => {
      const app = await startWith({ sessionBinding: { maxSessions: 20 } });
      const owner = await token();
      const session = await open(app, owner);
      const flood = async (n: number) => open(app, await token({ sub: 'u2', client_id: `c${String(n)}` }));
      const first = await flood(0);
      for (let n = 1; n < 30; n++) await flood(n);
      await expectAlive(app, owner, session);
      expect((await whoami(app, await token({ sub: 'u2', client_id: 'c0' }), first)).status).toBe(404);
    });

    verifies(
      'WAY-43',
      'is not pushed out by a flood, not even if a third caller opens sessions then',
      async () => {
        for (const by of ['anonymous', 'person']) {
          const app = await startWith({ sessionBinding: { maxSessions: 20 } }, { allowAnonymous: true });
          const users = await Promise.all([0, 1, 2, 3, 4].map((n) => token({ sub: `few${String(n)}` })));
          const sessions: string[] = [];
          for (const user of users) sessions.push(await open(app, user));
          const flooder = by === 'anonymous' ? undefined : await token({ sub: 'flooder' });
          const first = await open(app, flooder);
          let last = first;
          for (let n = 0; n < 39; n++) last = await open(app, flooder);
          const third = await token({ sub: 'third' });
          for (let n = 0; n < 5; n++) await open(app, third);
          for (const [n, session] of sessions.entries()) await expectAlive(app, users[n], session);
          expect((await whoami(app, flooder, first)).status).toBe(404);
          await expectAlive(app, flooder, last);
        }
      },
    );

    it('is open to every caller with a token if the options say so', async () => {
      const app = await startWith({ sessionBinding: false });
      const session = await open(app, await token());
      expect((await whoami(app, await token({ sub: 'u2' }), session)).text).toContain('it is u2');
      expect((await whoami(app, await token(), UNKNOWN)).status).toBe(404);
    });

    verifies('SES-03', 'has an id of 128 bits in visible ASCII, another each time', async () => {
      const log = new RecordingLogger();
      const app = await startWith({}, {}, log);
      const bearer = await token();
      const ids = new Set<string>();
      for (let n = 0; n < 1000; n++)
        ids.add(String((await ask(app, bearer, ['POST', INITIALIZE])).headers['mcp-session-id']));
      expect(ids.size).toBe(1000);
      for (const id of ids) {
        expect(id).toMatch(/^[\x21-\x7E]+$/);
        expect(id.replace(/-/g, '')).toMatch(/^[0-9a-f]{32}$/);
      }
      expect(log.warnings.filter((warning) => warning.includes('session id'))).toEqual([]);
    });

    verifies('SES-03', 'causes one warning if its id is short', async () => {
      const log = new RecordingLogger();
      let last = 0;
      const app = await startWith({}, { generate: () => `s${String((last += 1))}` }, log);
      const [owner, stranger] = [await token(), await token({ sub: 'u2' })];
      const session = await open(app, owner);
      await open(app, owner);
      expect(log.warnings.filter((warning) => warning.includes('session id'))).toHaveLength(1);
      expect((await whoami(app, stranger, session)).status).toBe(404);
      await expectAlive(app, owner, session);
    });

    verifies('SES-02', 'stays with its first caller if a transport gives an id out twice', async () => {
      const app = await startWith({}, { generate: () => 'the-one-and-only-session' });
      const [owner, stranger] = [await token(), await token({ sub: 'u2' })];
      const session = await open(app, owner);
      await ask(app, stranger, ['POST', INITIALIZE]);
      expect((await whoami(app, stranger, session)).status).toBe(404);
    });

    verifies(['SES-02', 'H09'], 'is neither reached nor lost by made-up ids', async () => {
      const app = await startWith();
      const [owner, stranger] = [await token(), await token({ sub: 'u2' })];
      const session = await open(app, owner);
      for (let n = 0; n < 200; n++) {
        const made = Array.from({ length: 10 }, (__, m) => `forged-${String(n)}-${String(m)}`);
        const answers = await Promise.all(made.map((id) => whoami(app, stranger, id)));
        expect(answers.map(({ status }) => status)).toEqual(made.map(() => 404));
      }
      await expectAlive(app, owner, session);
    });
  },
);
