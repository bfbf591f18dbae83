import { randomUUID } from 'node:crypto';
import { RedisReplayStore } from 'nestjs-mcp-auth/redis';
import { replayStoreContract } from 'nestjs-mcp-auth/testing';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeAfterTest } from '../fixtures/opened.js';
import { type OpenClient, REDIS_CLIENTS } from '../fixtures/redis-clients.js';
import { RedisServer } from '../fixtures/redis-server.js';
import { verifies } from '../verifies.js';

const CLIENTS = Object.entries(REDIS_CLIENTS);

/** Runs something, and returns what it threw and how long that took. */
async function failure(work: () => Promise<unknown>): Promise<{ message: string; ms: number }> {
  const begun = performance.now();
  const error = await work().then(
    (answer) => new Error(`It gave ${String(answer)}`),
    (thrown: unknown) => thrown as Error,
  );
  return { message: error.message, ms: performance.now() - begun };
}

describe.each(CLIENTS)('RedisReplayStore with %s', (_, connect) => {
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

    const contract = replayStoreContract(() => ({
      store: new RedisReplayStore(open[0].client),
      replica: new RedisReplayStore(open[1].client, { timeoutMs: 5000 }),
    }));
    for (const { name, run } of contract) verifies(['POP-41', 'POP-53'], name, run);

    it('keeps stores with different prefixes apart, and lets the server forget the keys', async () => {
      const key = randomUUID();
      const [one, other] = ['a:', 'b:'].map(
        (keyPrefix) => new RedisReplayStore(open[0].client, { keyPrefix }),
      );
      expect([await one!.reserve(key, 5000), await other!.reserve(key, 5000)]).toEqual([true, true]);
      expect(await server.command('PTTL', `a:${key}`)).toMatch(/^:(4\d\d\d|5000)\r\n$/);
      expect(await server.command('GET', `b:${key}`)).toBe('$1\r\n1\r\n');
    });
  });

  describe('on a server that fails', () => {
    async function started(timeoutMs = 300): Promise<{ server: RedisServer; store: RedisReplayStore }> {
      const server = closeAfterTest(await RedisServer.start());
      const { client } = closeAfterTest(await connect(server.url));
      return { server, store: new RedisReplayStore(client, { timeoutMs }) };
    }

    verifies('POP-51', 'throws at once while the server is away, and works when it is back', async () => {
      const { server, store } = await started();
      await server.kill();
      await expect
        .poll(() => failure(() => store.reserve('k', 1000)).then(({ message }) => message))
        .toBe('RedisReplayStore: the client is not connected');
      const { ms } = await failure(() => store.reserve('k', 1000));
      expect(ms).toBeLessThan(100);
      await server.restart();
      await expect.poll(() => store.reserve(randomUUID(), 1000).catch(() => false)).toBe(true);
    });

    verifies('POP-51', 'throws in time if the server hangs, and works when it goes on', async () => {
      const { server, store } = await started();
      server.hang();
      for (const { message, ms } of await Promise.all(
        [1, 2].map(() => failure(() => store.reserve('k', 9000))),
      )) {
        expect(message).toBe('RedisReplayStore: no answer within 300 ms');
        expect(ms).toBeLessThan(2000);
      }
      server.goOn();
      await expect.poll(() => store.reserve(randomUUID(), 1000).catch(() => false)).toBe(true);
    });

    verifies('POP-51', 'throws if the server is slow, and works when it is quick again', async () => {
      const { server, store } = await started();
      await server.command('CLIENT', 'PAUSE', '1500', 'ALL');
      expect((await failure(() => store.reserve('k', 9000))).message).toBe(
        'RedisReplayStore: no answer within 300 ms',
      );
      await expect.poll(() => store.reserve(randomUUID(), 1000).catch(() => false)).toBe(true);
    });

    verifies(
      'POP-51',
      'has a limited number of commands without an answer, also of those given up',
      async () => {
        const { server, store } = await started();
        server.hang();
        const waiting = Array.from({ length: 10_000 }, () => failure(() => store.reserve('k', 9000)));
        const next = (): Promise<string> =>
          failure(() => store.reserve('k', 9000)).then(({ message }) => message);
        const full = 'RedisReplayStore: 10000 commands have no answer yet';
        expect(await next()).toBe(full);
        const messages = new Set((await Promise.all(waiting)).map(({ message }) => message));
        expect([...messages]).toEqual(['RedisReplayStore: no answer within 300 ms']);
        expect(await next()).toBe(full);
        server.goOn();
        await expect.poll(() => store.reserve(randomUUID(), 1000).catch(() => false)).toBe(true);
      },
    );

    verifies('POP-51', 'throws if the server has no memory left', async () => {
      const { server, store } = await started();
      await server.command('CONFIG', 'SET', 'maxmemory', '1');
      expect((await failure(() => store.reserve('secret-key', 1000))).message).toMatch(
        /^RedisReplayStore: OOM/,
      );
    });
  });
});

describe('RedisReplayStore', () => {
  verifies('POP-52', 'rejects what is no client of a known kind, without calling it', () => {
    const others = [
      undefined,
      null,
      {},
      'redis://127.0.0.1',
      { sendCommand: () => undefined },
      { call: () => undefined },
      { status: 'ready' },
      { isReady: true },
      createCluster({ rootNodes: [] }),
      createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }),
      createClientPool(),
    ];
    for (const other of others)
      expect(() => new RedisReplayStore(other as never)).toThrow(
        new TypeError(
          'RedisReplayStore needs a client of ioredis 5 or 6, of iovalkey, or one that createClient() of redis 5 or 6 has made',
        ),
      );
  });

  it('rejects a time limit out of range', () => {
    for (const timeoutMs of [9, 60_001, 1.5, NaN])
      expect(() => new RedisReplayStore(createClient(), { timeoutMs })).toThrow(
        `RedisReplayStore: timeoutMs must be a whole number from 10 to 60000; got ${String(timeoutMs)}`,
      );
  });

  it('throws for a client that was never connected', async () => {
    await expect(new RedisReplayStore(createClient()).reserve('k', 1)).rejects.toThrow('is not connected');
  });

  it('throws for a reply that it does not know', async () => {
    const client = { isReady: true, sendCommand: () => Promise.resolve(1), duplicate: () => undefined };
    await expect(new RedisReplayStore(client).reserve('k', 1)).rejects.toThrow('neither OK nor null');
  });
});
