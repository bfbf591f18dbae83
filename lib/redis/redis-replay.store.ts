import type { ReplayStore } from '../options/replay-store.js';
import type { RedisClient } from './redis-client.js';
import { RedisCommands } from './redis-commands.js';

/** Options of {@link RedisReplayStore}. @publicApi */
export interface RedisReplayStoreOptions {
  /** Stands before each key. @defaultValue 'nestjs-mcp-auth:replay:' */
  readonly keyPrefix?: string | undefined;
  /** How long one command may take. Unit: milliseconds. Range: 10 to 60000. @defaultValue 1000 */
  readonly timeoutMs?: number | undefined;
}

/**
 * Keeps reservations in Redis or Valkey, for all replicas: `SET` with `NX` and `PX`, one command for each.
 *
 * If the server is away or does not answer within `timeoutMs`, requests are answered with 503. No commands are queued while
 * the client is not connected, and 10,000 at most wait for an answer.
 *
 * The server must not evict keys (`maxmemory-policy noeviction`). After a failover, or a restart without persistence, the
 * server may have lost the latest reservations: what was used shortly before can then be used again.
 *
 * @publicApi
 */
export class RedisReplayStore implements ReplayStore {
  private readonly commands: RedisCommands;
  private readonly keyPrefix: string;

  /**
   * @param client - made, connected and closed by the application
   * @throws TypeError for a client of an unknown kind; RangeError for a time limit out of range
   */
  constructor(client: RedisClient, options: RedisReplayStoreOptions = {}) {
    const { keyPrefix = 'nestjs-mcp-auth:replay:', timeoutMs = 1000 } = options;
    this.commands = new RedisCommands('RedisReplayStore', client, timeoutMs);
    this.keyPrefix = keyPrefix;
  }

  async reserve(key: string, ttlMs: number): Promise<boolean> {
    const reply = await this.commands.run('SET', this.keyPrefix + key, '1', 'NX', 'PX', String(ttlMs));
    if (reply === null) return false;
    if (reply === 'OK') return true;
    throw new Error('RedisReplayStore: the reply to SET is neither OK nor null');
  }
}
