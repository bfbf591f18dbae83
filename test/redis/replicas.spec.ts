import { randomUUID } from 'node:crypto';
import { type McpAuthModuleOptions, McpAuthStreams } from 'nestjs-mcp-auth';
import { RedisReplayStore, RedisRevocationList } from 'nestjs-mcp-auth/redis';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { PLATFORMS, type RunningApp, start } from '../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { notesRejections, rejectedAs, UNAVAILABLE } from '../fixtures/notes-rejections.js';
import { NotesController } from '../fixtures/notes.controller.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { REDIS_CLIENTS } from '../fixtures/redis-clients.js';
import { RedisServer } from '../fixtures/redis-server.js';
import { NOTES } from '../fixtures/resources.js';
import { StreamController } from '../fixtures/stream-endpoints.js';
import { openStream, settlesWithin } from '../fixtures/streams.js';
import { verifies } from '../verifies.js';

const { invalidToken } = notesRejections('notes:read');

/** An application, and what it shares with the other. */
interface Replica extends RunningApp {
  readonly list: RedisRevocationList;
  ask(token: string): ReturnType<RunningApp['send']>;
}

describe.each(PLATFORMS)('two replicas with Redis, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  let server: RedisServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  beforeEach(async () => {
    server = closeAfterTest(await RedisServer.start());
  });

  async function replica(library: string, oneTime: boolean): Promise<Replica> {
    const { client } = closeAfterTest(await REDIS_CLIENTS[library]!(server.url));
    const list = new RedisRevocationList(client, { maxStalenessMs: 1000, timeoutMs: 900 });
    const oneTimeTokens = oneTime && { replayStore: new RedisReplayStore(client, { timeoutMs: 900 }) };
    const options: McpAuthModuleOptions = {
      resources: {
        resource: NOTES,
        authorizationServers: [{ issuer: as.issuer, oneTimeTokens }],
        requiredScopes: ['notes:read'],
      },
      replicas: 'several',
      isRevoked: list.isRevoked,
    };
    const providers = [{ provide: RedisRevocationList, useValue: list }];
    const app = await start(options, {
      controllers: [NotesController, StreamController],
      providers,
      platform,
    });
    const streams = app.app.get(McpAuthStreams);
    list.onRevoked((revocation) => streams.end(revocation));
    const ask: Replica['ask'] = (token) =>
      app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
    return { ...app, list, ask };
  }

  const two = async (oneTime: boolean): Promise<readonly [Replica, Replica]> => [
    await replica('redis 6', oneTime),
    await replica('ioredis 6', oneTime),
  ];

  const token = (claims: Record<string, unknown> = {}): Promise<string> =>
    as.token({ aud: NOTES, scope: 'notes:read', jti: randomUUID(), ...claims });

  const inAnHour = (): Date => new Date(Date.now() + 3_600_000);

  verifies('POP-40', 'accept a one-time token at one of them only', async () => {
    const [one, other] = await two(true);
    const used = await token();
    expect((await one.ask(used)).status).toBe(200);
    for (const each of [one, other]) expect(rejectedAs(await each.ask(used))).toEqual(invalidToken);
    const wanted = await token();
    const all = Array.from({ length: 20 }, (_, at) => (at % 2 ? one : other).ask(wanted));
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect((await other.ask(await token())).status).toBe(200);
  });

  verifies('POP-51', 'answer 503 in time while Redis is away or hangs, and go on after that', async () => {
    const [one] = await two(true);
    const bearer = await token();
    const status = async (): Promise<number> => (await one.ask(await token())).status;
    expect(await status()).toBe(200);
    server.hang();
    const begun = performance.now();
    expect(rejectedAs(await one.ask(bearer))).toEqual(UNAVAILABLE);
    expect(performance.now() - begun).toBeLessThan(4000);
    server.goOn();
    await expect.poll(status).toBe(200);
    await server.kill();
    await expect.poll(status).toBe(503);
    await server.restart();
    await expect.poll(status).toBe(200);
  });

  verifies(
    'POP-62',
    'reject a revoked token and the tokens of a revoked person, without asking Redis',
    async () => {
      const [one, other] = await two(false);
      const [ada, bob] = [await token({ jti: 'j1', sub: 'ada' }), await token({ jti: 'j2', sub: 'bob' })];
      await one.list.revoke({ issuer: as.issuer, jti: 'j1' }, inAnHour());
      expect(rejectedAs(await one.ask(ada))).toEqual(invalidToken);
      await expect.poll(async () => rejectedAs(await other.ask(ada))).toEqual(invalidToken);
      await server.command('CONFIG', 'RESETSTAT');
      for (let count = 0; count < 20; count++) expect((await other.ask(bob)).status).toBe(200);
      const stats = await server.command('INFO', 'stats');
      // Only the lists of both replicas, which look at the version a few times in a second.
      expect(Number(/total_commands_processed:(\d+)/.exec(stats)?.[1])).toBeLessThan(15);
      await other.list.revoke({ issuer: as.issuer, subject: 'bob' }, inAnHour());
      await expect.poll(async () => rejectedAs(await one.ask(bob))).toEqual(invalidToken);
      expect((await one.ask(await token({ sub: 'eve' }))).status).toBe(200);
    },
  );

  verifies(
    'POP-63',
    'answer 503 once the list has heard nothing for too long, and 401 to revoked tokens',
    async () => {
      const [one] = await two(false);
      const [ada, bob] = [await token({ sub: 'ada' }), await token({ sub: 'bob' })];
      await one.list.revoke({ issuer: as.issuer, subject: 'ada' }, inAnHour());
      await server.kill();
      await expect.poll(async () => rejectedAs(await one.ask(bob))).toEqual(UNAVAILABLE);
      expect(rejectedAs(await one.ask(ada))).toEqual(invalidToken);
      await server.restart();
      await expect.poll(async () => (await one.ask(bob)).status).toBe(200);
      expect(rejectedAs(await one.ask(ada))).toEqual(invalidToken);
    },
  );

  verifies('POP-68', 'end streams at one of them that the other revokes', async () => {
    const [one, other] = await two(false);
    const open = async (sub: string) =>
      openStream(other.origin, '/notes/events', {
        headers: { authorization: `Bearer ${await token({ sub })}` },
      });
    const [ada, bob] = [await open('ada'), await open('bob')];
    await one.list.revoke({ issuer: as.issuer, subject: 'ada' }, inAnHour());
    expect(await settlesWithin(3000, ada.ended)).toBe(true);
    expect(await settlesWithin(100, bob.ended)).toBe(false);
    bob.abort();
  });
});
