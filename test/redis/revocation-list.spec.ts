import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Revocation, RevocationQuery } from 'nestjs-mcp-auth';
import {
  type RedisClient,
  RedisRevocationList,
  type RedisRevocationListOptions,
} from 'nestjs-mcp-auth/redis';
import { revocationListContract } from 'nestjs-mcp-auth/testing';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestClock } from '../fixtures/clock.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { type OpenClient, REDIS_CLIENTS } from '../fixtures/redis-clients.js';
import { RedisServer } from '../fixtures/redis-server.js';
import { verifies } from '../verifies.js';

const CLIENTS = Object.entries(REDIS_CLIENTS);
const ISSUER = 'https://auth.example.com';
const inAnHour = (): Date => new Date(Date.now() + 3_600_000);

const token = (jti: string, changes: Partial<RevocationQuery> = {}): RevocationQuery => ({
  issuer: ISSUER,
  jti,
  subject: 'ada',
  clientId: 'app',
  issuedAt: 1_800_000_000,
  ...changes,
});

/** Starts a list, closed after its test. */
async function listOf(
  client: RedisClient,
  options: RedisRevocationListOptions = {},
): Promise<RedisRevocationList> {
  const list = new RedisRevocationList(client, options);
  closeAfterTest({
    close: async () => {
      list.close();
    },
  });
  await list.start();
  return list;
}

/** What a list says of a token. */
function answer(list: RedisRevocationList, asked: RevocationQuery): string {
  try {
    return String(list.isRevoked(asked));
  } catch (error) {
    return (error as Error).message;
  }
}

const TOO_OLD = 'RedisRevocationList: the copy is older than 1000 ms';

describe.each(CLIENTS)('RedisRevocationList with %s', (_, connect) => {
  describe('on a server that works', () => {
    let server: RedisServer;
    let open: readonly [OpenClient, OpenClient];

    beforeAll(async () => {
      server = await RedisServer.start();
      open = [await connect(server.url), await connect(server.url)];
    });

    afterAll(async () => {
      await Promise.all(open.map((each) => each.close()));
      await server.close();
    });

    const contract = revocationListContract(async () => {
      const keyPrefix = randomUUID();
      const list = new RedisRevocationList(open[0].client, { keyPrefix, timeoutMs: 5000 });
      const replica = new RedisRevocationList(open[1].client, { keyPrefix, timeoutMs: 5000 });
      await Promise.all([list.start(), replica.start()]);
      const close = (): void => {
        list.close();
        replica.close();
      };
      return { list, replica, close };
    });
    for (const { name, run } of contract) verifies('POP-60', name, run);

    verifies('POP-62', 'knows what was revoked before it started, by one look at the copy', async () => {
      const keyPrefix = randomUUID();
      const list = await listOf(open[0].client, { keyPrefix });
      for (let at = 0; at < 1200; at++) await list.revoke({ issuer: ISSUER, jti: String(at) }, inAnHour());
      const later = await listOf(open[1].client, { keyPrefix });
      const found = Array.from({ length: 1201 }, (__, at) => later.isRevoked(token(String(at))));
      expect(found.filter((isRevoked) => isRevoked)).toHaveLength(1200);
      expect(found[1200]).toBe(false);
    });
  });

  describe('on a server that fails', () => {
    async function started(): Promise<{ server: RedisServer; client: RedisClient }> {
      const server = closeAfterTest(await RedisServer.start());
      const { client } = closeAfterTest(await connect(server.url));
      return { server, client };
    }

    verifies(
      'POP-63',
      'does not answer once its copy is too old, except for tokens that it knows',
      async () => {
        const { server, client } = await started();
        const list = await listOf(client, { maxStalenessMs: 1000, timeoutMs: 900 });
        await list.revoke({ issuer: ISSUER, jti: 'revoked' }, inAnHour());
        expect([answer(list, token('other')), answer(list, token('revoked'))]).toEqual(['false', 'true']);
        server.hang();
        await expect.poll(() => answer(list, token('other')), { interval: 20 }).toBe(TOO_OLD);
        expect(answer(list, token('revoked'))).toBe('true');
        await expect(list.revoke({ issuer: ISSUER, jti: 'next' }, inAnHour())).rejects.toThrow(
          'no answer within 900 ms',
        );
        server.goOn();
        await expect.poll(() => answer(list, token('other'))).toBe('false');
        await server.kill();
        await expect.poll(() => answer(list, token('other'))).toBe(TOO_OLD);
        expect(answer(list, token('revoked'))).toBe('true');
        await expect(list.revoke({ issuer: ISSUER, jti: 'next' }, inAnHour())).rejects.toThrow(
          'not connected',
        );
      },
    );

    verifies(
      ['POP-64', 'POP-65'],
      'reads again and gives back what it knows when the server comes back empty',
      async () => {
        const { server, client } = await started();
        const clock = new TestClock();
        // No limit is shorter than a busy machine may take: see "in time" for those.
        const list = await listOf(client, { maxStalenessMs: 3000, timeoutMs: 10_000, now: clock.now });
        await list.revoke({ issuer: ISSUER, subject: 'ada', issuedBefore: 1_800_000_001 }, inAnHour());
        await list.revoke({ issuer: ISSUER, jti: 'over' }, new Date(Date.now() + 60_000));
        await server.kill();
        clock.forward(120);
        await server.restart();
        await expect.poll(() => answer(list, token('other', { subject: 'eve' }))).toBe('false');
        const other = closeAfterTest(await connect(server.url));
        await expect
          .poll(() => server.command('ZCARD', '{nestjs-mcp-auth:revocations}:entries'))
          .toBe(':1\r\n');
        const replica = await listOf(other.client, { timeoutMs: 10_000 });
        expect(answer(replica, token('any'))).toBe('true');
        expect(answer(replica, token('any', { issuedAt: 1_800_000_001 }))).toBe('false');
      },
    );
  });
});

describe('RedisRevocationList', () => {
  async function opened(make: (url: string) => Promise<OpenClient> = REDIS_CLIENTS['redis 6']!) {
    const server = closeAfterTest(await RedisServer.start());
    const open = async (): Promise<RedisClient> => closeAfterTest(await make(server.url)).client;
    return { server, clients: [await open(), await open()] as const };
  }

  verifies('POP-64', 'finds a revocation whose message it has missed, and tells its listeners', async () => {
    const { server, clients } = await opened();
    const list = await listOf(clients[0], { maxStalenessMs: 1000 });
    const replica = await listOf(clients[1], { maxStalenessMs: 1000 });
    const heard: Revocation[] = [];
    replica.onRevoked((revocation) => heard.push(revocation));
    await list.revoke({ issuer: ISSUER, jti: 'first' }, inAnHour());
    await expect.poll(() => answer(replica, token('first'))).toBe('true');
    // The subscribers lose their connections, and a message is sent meanwhile.
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await list.revoke({ issuer: ISSUER, jti: 'missed' }, inAnHour());
    await expect.poll(() => answer(replica, token('missed'))).toBe('true');
    expect(heard.map((each) => 'jti' in each && each.jti)).toEqual(['first', 'missed']);
  });

  verifies('POP-64', 'learns of revocations without the channel, within its limit', async () => {
    const { server, clients } = await opened();
    await server.command('ACL', 'SETUSER', 'default', 'resetchannels');
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const list = await listOf(clients[0], { maxStalenessMs: 1000 });
    await expect(list.revoke({ issuer: ISSUER, jti: 'x' }, inAnHour())).rejects.toThrow(
      'RedisRevocationList: ',
    );
    await server.command('ACL', 'SETUSER', 'default', 'allchannels');
    const replica = await listOf(clients[1], { maxStalenessMs: 1000 });
    await list.revoke({ issuer: ISSUER, jti: 'x' }, inAnHour());
    await expect.poll(() => answer(replica, token('x'))).toBe('true');
  });

  verifies(
    'POP-63',
    'does not answer before it has started, when a start fails, and after its end',
    async () => {
      const { server, clients } = await opened();
      const list = new RedisRevocationList(clients[0], { maxStalenessMs: 1000, timeoutMs: 200 });
      closeAfterTest({
        close: async () => {
          list.close();
        },
      });
      expect(answer(list, token('x'))).toBe(TOO_OLD);
      server.hang();
      await expect(list.onModuleInit()).rejects.toThrow('RedisRevocationList: no answer within 200 ms');
      expect(answer(list, token('x'))).toBe(TOO_OLD);
      server.goOn();
      await expect.poll(() => answer(list, token('x'))).toBe('false');
      list.onApplicationShutdown();
      expect(answer(list, token('x'))).toBe(TOO_OLD);
    },
  );

  verifies(
    ['POP-63', 'POP-82'],
    'does not answer if it has too many revocations, or cannot read one',
    async () => {
      const { server, clients } = await opened();
      const list = await listOf(clients[0]);
      for (const jti of ['a', 'b', 'c']) await list.revoke({ issuer: ISSUER, jti }, inAnHour());
      const small = new RedisRevocationList(clients[1], { maxEntries: 2 });
      closeAfterTest({
        close: async () => {
          small.close();
        },
      });
      for (let attempt = 0; attempt < 4; attempt++)
        await expect(small.start()).rejects.toThrow('The list is full: it has 2 revocations');
      expect(answer(small, token('other'))).toBe('RedisRevocationList: the copy is older than 30000 ms');
      await server.command(
        'ZADD',
        '{nestjs-mcp-auth:revocations}:entries',
        '9999999999999',
        '{"issuer":"x"}',
      );
      const reader = new RedisRevocationList(clients[1], { maxStalenessMs: 1000 });
      closeAfterTest({
        close: async () => {
          reader.close();
        },
      });
      await expect(reader.start()).rejects.toThrow('A revocation needs a "jti"');
      expect(answer(reader, token('other'))).toBe(TOO_OLD);
    },
  );

  verifies('POP-84', 'writes back what the server has lost, many at a time', async () => {
    let ready: () => void = () => undefined;
    const subscriber = {
      on: (event: string, listener: () => void) => {
        if (event === 'ready') ready = listener;
      },
      subscribe: () => Promise.resolve(),
      disconnect: () => undefined,
    };
    const members: string[] = [];
    const waiting: (() => void)[] = [];
    /** A server that has lost its data, and answers once it has 400 commands. */
    const client = {
      status: 'ready',
      duplicate: () => subscriber,
      call: (command: string, ...args: string[]): Promise<unknown> => {
        if (command !== 'EVAL') return Promise.resolve(command === 'GET' ? null : ['0', []]);
        members.push(args[5] ?? '');
        return new Promise((resolve) => {
          waiting.push(() => {
            resolve(null);
          });
          if (waiting.length >= 400) for (const answer of waiting) answer();
        });
      },
    };
    const list = await listOf(client, { timeoutMs: 10_000 });
    const revoked = Promise.all(
      Array.from({ length: 400 }, (_, at) => list.revoke({ issuer: ISSUER, jti: String(at) }, inAnHour())),
    );
    await revoked;
    const before = new Set(members.splice(0));
    waiting.length = 0;
    ready();
    await expect.poll(() => members.length).toBe(400);
    expect(new Set(members)).toEqual(before);
  });

  it('removes what ended an hour ago from the server', async () => {
    const { server, clients } = await opened();
    let now = Date.now();
    const list = await listOf(clients[0], { now: () => new Date(now) });
    await list.revoke({ issuer: ISSUER, jti: 'a' }, new Date(now + 1000));
    now += 3_600_000;
    await list.revoke({ issuer: ISSUER, jti: 'b' }, new Date(now + 1000));
    expect(await server.command('ZCARD', '{nestjs-mcp-auth:revocations}:entries')).toBe(':2\r\n');
    now += 2000;
    await list.revoke({ issuer: ISSUER, jti: 'c' }, new Date(now + 1000));
    expect(await server.command('ZCARD', '{nestjs-mcp-auth:revocations}:entries')).toBe(':2\r\n');
  });

  it.each([
    ['ioredis with a prefix', { keyPrefix: 'app:' }],
    ['ioredis without a queue', { enableOfflineQueue: false, autoResubscribe: false }],
    ['ioredis that connects late', { lazyConnect: true }],
  ])('hears messages by a client of %s', async (_, settings) => {
    const make = async (url: string): Promise<OpenClient> => {
      const client = new Redis(url, settings);
      client.on('error', () => undefined);
      if (!('lazyConnect' in settings)) await new Promise((resolve) => client.once('ready', resolve));
      return {
        client,
        close: async () => {
          client.disconnect();
        },
      };
    };
    const { clients } = await opened(make);
    const list = await listOf(clients[0], { maxStalenessMs: 3_600_000 });
    const replica = await listOf(clients[1], { maxStalenessMs: 3_600_000 });
    // Until the subscription stands, a message may be missed.
    await expect
      .poll(async () => {
        const jti = randomUUID();
        await list.revoke({ issuer: ISSUER, jti }, inAnHour());
        await new Promise((resolve) => setTimeout(resolve, 50));
        return answer(replica, token(jti));
      })
      .toBe('true');
  });

  verifies('POP-52', 'rejects other clients, and numbers out of range', () => {
    expect(() => new RedisRevocationList({} as never)).toThrow(
      'RedisRevocationList needs a client of ioredis',
    );
    for (const maxStalenessMs of [999, 3_600_001])
      expect(() => new RedisRevocationList(createClient(), { maxStalenessMs })).toThrow(
        `RedisRevocationList: maxStalenessMs must be a whole number from 1000 to 3600000; got ${String(maxStalenessMs)}`,
      );
  });
});
