import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { RedisRevocationList, type RedisRevocationListOptions } from './redis-revocation.list.js';

const ISSUER = 'https://auth.example.com';
const TOO_OLD = 'RedisRevocationList: the copy is older than 3000 ms';

/** What stands for a server: it answers as Redis does, and loses messages, data and time when it is told to. */
class Server {
  readonly commands: string[] = [];
  losesMessages = false;
  failure: Error | undefined;
  delayMs = 0;
  /** How long a connection takes until it hears the channel. */
  subscribeMs = 0;
  private entries = new Map<string, string>();
  private version: string | undefined;
  private readonly subscribers = new Set<{ ready: () => void; message: (text: string) => void }>();

  /** A client of the kind of ioredis. */
  readonly client = {
    status: 'ready',
    call: async (command: string, ...args: string[]): Promise<unknown> => {
      this.commands.push(command);
      if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
      if (this.failure) throw this.failure;
      if (command === 'GET') return this.version ?? null;
      return command === 'ZSCAN' ? this.page(Number(args[1])) : this.store(args.slice(4));
    },
    duplicate: () => {
      const own = { ready: (): void => undefined, message: (text: string): unknown => text };
      this.subscribers.add(own);
      let hears = false;
      queueMicrotask(() => {
        own.ready();
      });
      return {
        on: (event: string, listener: (...given: string[]) => void) => {
          if (event === 'ready') own.ready = listener;
          if (event === 'message')
            own.message = (text) => {
              if (hears) listener('channel', text);
            };
        },
        subscribe: async () => {
          if (this.subscribeMs > 0) await new Promise((resolve) => setTimeout(resolve, this.subscribeMs));
          hears = true;
        },
        disconnect: () => this.subscribers.delete(own),
      };
    },
  };

  get connections(): number {
    return this.subscribers.size;
  }

  has(jti: string): boolean {
    return [...this.entries.keys()].some((member) => member.includes(`"${jti}"`));
  }

  count(command: string): number {
    return this.commands.filter((each) => each === command).length;
  }

  publish(text: string): void {
    for (const { message } of this.subscribers) message(text);
  }

  reconnect(): void {
    for (const { ready } of this.subscribers) ready();
  }

  loseData(): void {
    this.entries = new Map();
    this.version = undefined;
  }

  private page(cursor: number): [string, string[]] {
    const all = [...this.entries];
    const next = cursor + 2;
    return [next < all.length ? String(next) : '0', all.slice(cursor, next).flat()];
  }

  private store([end = '', member = '', , after = '']: readonly string[]): string {
    const before = this.version ?? '-';
    this.entries.set(member, end);
    this.version = after;
    if (!this.losesMessages) this.publish(`${before} ${after} ${end} ${member}`);
    return before;
  }
}

describe('RedisRevocationList', () => {
  let server: Server;
  let lists: RedisRevocationList[];
  let lines: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    const record = (line: string) => lines.push(line);
    Logger.overrideLogger({ log: record, error: record, warn: record });
    [server, lists, lines] = [new Server(), [], []];
  });

  afterEach(() => {
    for (const list of lists) list.close();
    Logger.overrideLogger(false);
    vi.useRealTimers();
  });

  function made(options: RedisRevocationListOptions = {}): RedisRevocationList {
    const list = new RedisRevocationList(server.client, {
      maxStalenessMs: 3000,
      timeoutMs: 5000,
      ...options,
    });
    lists.push(list);
    return list;
  }

  async function started(options: RedisRevocationListOptions = {}): Promise<RedisRevocationList> {
    const list = made(options);
    await list.start();
    await vi.advanceTimersByTimeAsync(0); // the look once it hears the channel
    return list;
  }

  const revoke = (list: RedisRevocationList, jti: string, ms = 3_600_000): Promise<void> =>
    list.revoke({ issuer: ISSUER, jti }, new Date(Date.now() + ms));

  function answer(list: RedisRevocationList, jti: string): unknown {
    try {
      return list.isRevoked({ issuer: ISSUER, jti, subject: undefined, clientId: '', issuedAt: undefined });
    } catch (error) {
      return (error as Error).message;
    }
  }

  verifies('POP-86', 'finds a revocation whose message it missed, though it got the next one', async () => {
    const [list, replica] = [await started(), await started()];
    await revoke(list, 'first');
    server.losesMessages = true;
    await revoke(list, 'missed');
    expect(answer(list, 'missed')).toBe(true);
    server.losesMessages = false;
    await revoke(list, 'next');
    expect(['first', 'missed', 'next'].map((jti) => answer(replica, jti))).toEqual([true, false, true]);
    await vi.advanceTimersByTimeAsync(1001);
    expect(answer(replica, 'missed')).toBe(true);
  });

  verifies('POP-86', 'looks again once it hears the channel, for what was revoked until then', async () => {
    const list = await started();
    server.subscribeMs = 100;
    const replica = await started();
    await revoke(list, 'early');
    expect(answer(replica, 'early')).toBe(false);
    // A look that began before is no answer.
    server.delayMs = 50;
    await vi.advanceTimersByTimeAsync(100 + 2 * 50 + 50);
    expect(answer(replica, 'early')).toBe(true);
  });

  verifies('POP-86', 'stores a revocation once that comes while it reads the others', async () => {
    const [list, other] = [await started(), await started()];
    await revoke(other, 'first');
    const { call } = server.client;
    server.client.call = async (command, ...args) => {
      const reply = await call(command, ...args);
      if (command === 'ZSCAN' && !server.has('later')) await revoke(list, 'later');
      return reply;
    };
    server.publish('no message of this list');
    await vi.advanceTimersByTimeAsync(1001);
    expect([server.has('later'), server.count('EVAL')]).toEqual([true, 2]);
    server.client.call = call;
    server.loseData();
    await vi.advanceTimersByTimeAsync(1001);
    expect([server.has('first'), server.has('later')]).toEqual([true, true]);
  });

  verifies('POP-86', 'reads the revocations again only if it has missed something', async () => {
    const list = await started();
    for (let count = 0; count < 5; count++) await revoke(list, String(count));
    const [before, looks] = [server.count('ZSCAN'), server.count('GET')];
    await vi.advanceTimersByTimeAsync(10_000);
    expect([server.count('ZSCAN') - before, server.count('GET') - looks]).toEqual([0, 10]);
    server.publish('no message of this list');
    await vi.advanceTimersByTimeAsync(1001);
    expect(server.count('ZSCAN') - before).toBe(3); // three pages
    await vi.advanceTimersByTimeAsync(5000);
    expect(server.count('ZSCAN') - before).toBe(3);
    expect(answer(list, '4')).toBe(true);
  });

  verifies(
    'POP-86',
    'looks at the server when its connection is made again, once for all calls',
    async () => {
      const replica = await started();
      const list = await started();
      server.losesMessages = true;
      await revoke(list, 'missed');
      const before = server.count('GET');
      for (let count = 0; count < 3; count++) server.reconnect();
      await vi.advanceTimersByTimeAsync(0);
      expect([answer(replica, 'missed'), server.count('GET') - before]).toEqual([true, 2]); // one for each list
    },
  );

  verifies('POP-63', 'counts the age of its copy from the question, and not from the answer', async () => {
    server.delayMs = 2000;
    const start = started();
    await vi.advanceTimersByTimeAsync(4001); // GET and ZSCAN
    const list = await start;
    expect(answer(list, 'x')).toBe(TOO_OLD);
    server.delayMs = 0;
    await vi.advanceTimersByTimeAsync(2000 + 1001); // a look has begun
    expect(answer(list, 'x')).toBe(false);
    server.failure = new Error('of the server');
    await vi.advanceTimersByTimeAsync(2900);
    expect(answer(list, 'x')).toBe(false);
    await vi.advanceTimersByTimeAsync(101);
    expect(answer(list, 'x')).toBe(TOO_OLD);
  });

  verifies('POP-63', 'does nothing after its end, also if a command was not answered', async () => {
    const list = await started();
    expect([answer(list, 'x'), server.connections]).toEqual([false, 1]);
    server.delayMs = 500;
    await vi.advanceTimersByTimeAsync(1001);
    list.close();
    await vi.advanceTimersByTimeAsync(600);
    expect([answer(list, 'x'), server.connections]).toEqual([TOO_OLD, 0]);
    const { length } = server.commands;
    await vi.advanceTimersByTimeAsync(10_000);
    expect([server.commands.length, vi.getTimerCount()]).toEqual([length, 0]);
    server.delayMs = 0;
    await list.start();
    expect([answer(list, 'x'), server.connections]).toEqual([false, 1]);
    list.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  verifies('POP-86', 'knows nothing of a revocation that could not be stored', async () => {
    const list = await started();
    const heard: unknown[] = [];
    list.onRevoked((revocation) => heard.push(revocation));
    server.failure = new Error('of the server');
    await expect(revoke(list, 'x')).rejects.toThrow('RedisRevocationList: of the server');
    expect([answer(list, 'x'), heard]).toEqual([false, []]);
  });

  verifies(
    'POP-65',
    'writes back what a server has lost, and nothing that has ended or is there',
    async () => {
      const list = await started();
      await revoke(list, 'a');
      await revoke(list, 'over', 100);
      await revoke(list, 'b');
      server.loseData();
      await vi.advanceTimersByTimeAsync(1001);
      expect(server.count('EVAL')).toBe(5);
      const replica = await started();
      expect(['a', 'over', 'b'].map((jti) => answer(replica, jti))).toEqual([true, false, true]);
      await vi.advanceTimersByTimeAsync(5000);
      expect(server.count('EVAL')).toBe(5);
    },
  );

  verifies('POP-63', 'logs the first of several failures, and the end of them', async () => {
    const list = await started();
    for (let outage = 1; outage <= 2; outage++) {
      lines.length = 0;
      server.failure = new Error('of the server');
      await vi.advanceTimersByTimeAsync(5000);
      server.failure = undefined;
      await vi.advanceTimersByTimeAsync(1001);
      expect(lines.filter((line) => line.startsWith('Redis'))).toEqual([
        'RedisRevocationList cannot read revocations: RedisRevocationList: of the server',
        'RedisRevocationList reads revocations again',
      ]);
    }
    list.close();
    server.failure = new Error('of the server');
    lines.length = 0;
    await vi.advanceTimersByTimeAsync(5000);
    expect(lines).toEqual([]);
  });
});
