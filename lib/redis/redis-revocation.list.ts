import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { RevocationQuery } from '../options/mcp-auth-options.js';
import { MemoryRevocationList } from '../options/memory-revocation.list.js';
import type { RevocationEntry } from '../options/revocation-index.js';
import type { Revocation, RevocationList } from '../options/revocation-list.js';
import { checkedRevocation, endOf } from '../options/revocation-rules.js';
import { type RedisClient, subscribe } from './redis-client.js';
import { assertRange, RedisCommands } from './redis-commands.js';
import { entryOf, memberOf, messageOf, NO_VERSION, REVOKE_SCRIPT } from './revocation-records.js';

/** Options of {@link RedisRevocationList}. @publicApi */
export interface RedisRevocationListOptions {
  /** Stands before the keys and the channel. @defaultValue 'nestjs-mcp-auth:revocations' */
  readonly keyPrefix?: string | undefined;
  /** How long one command may take. Unit: milliseconds. Range: 10 to 60000. @defaultValue 1000 */
  readonly timeoutMs?: number | undefined;
  /**
   * How old the local copy may become without a word from the server. With an older one, requests are answered with 503. The
   * list asks the server three times in that time whether it has missed anything. Unit: milliseconds. Range: 1000 to 3600000.
   *
   * @defaultValue 30000
   */
  readonly maxStalenessMs?: number | undefined;
  /** The maximum number of revocations. With more, requests are answered with 503. @defaultValue 1000000 */
  readonly maxEntries?: number | undefined;
  /** The clock that revocations end by. @defaultValue `() => new Date()` */
  readonly now?: (() => Date) | undefined;
}

/** How long the server keeps revocations that have ended: the clock of another replica may be behind. */
const KEPT_MS = 3_600_000;

/** How many lost revocations are written back at once: one after the other would take longer than a copy may be old. */
const RESTORED_AT_ONCE = 500;

/** How many revocations one reply has, about. */
const PAGE = '500';

/**
 * Keeps revocations in Redis or Valkey, and a copy in each process, so that `isRevoked` asks no server. A revocation reaches
 * the other replicas by a channel, and at the latest after `maxStalenessMs`, or requests there are answered with 503.
 *
 * As a provider of Nest it starts with the application and ends with it. Elsewhere call {@link RedisRevocationList.start} and
 * {@link RedisRevocationList.close}. It needs Redis 6.2 or later, or Valkey, and the command `EVAL`.
 *
 * A server that loses its data gets the revocations back from the copies of running processes.
 *
 * @publicApi
 */
export class RedisRevocationList implements RevocationList {
  private readonly logger = new Logger('McpAuth');
  private readonly commands: RedisCommands;
  private readonly copy: MemoryRevocationList;
  private readonly maxStalenessMs: number;
  private readonly now: () => Date;
  private readonly keys: { readonly entries: string; readonly version: string; readonly channel: string };
  /** The version of the list up to which the copy has every revocation; undefined if that is unknown. */
  private version: string | undefined;
  /** When the copy was known to be complete, as `performance.now()` counts. */
  private confirmedAt = -Infinity;
  private syncing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private unsubscribe: (() => void) | undefined;
  private isFailing = false;

  /**
   * @param client - made, connected and closed by the application. The list makes a second connection by `duplicate()`
   * @throws TypeError for a client of an unknown kind; RangeError for a number out of range
   */
  constructor(
    private readonly client: RedisClient,
    options: RedisRevocationListOptions = {},
  ) {
    const { keyPrefix: prefix = 'nestjs-mcp-auth:revocations', timeoutMs = 1000 } = options;
    const { maxStalenessMs = 30_000, now = () => new Date() } = options;
    this.commands = new RedisCommands('RedisRevocationList', client, timeoutMs);
    assertRange('RedisRevocationList: maxStalenessMs', maxStalenessMs, [1000, 3_600_000]);
    this.copy = new MemoryRevocationList({ ...options, now });
    this.maxStalenessMs = maxStalenessMs;
    this.now = now;
    // Braces: a cluster keeps both keys on one server.
    this.keys = {
      entries: `{${prefix}}:entries`,
      version: `{${prefix}}:version`,
      channel: `${prefix}:revoked`,
    };
  }

  /**
   * Reads the revocations, and listens to those that follow.
   *
   * @throws an error if they cannot be read now. The list tries again until {@link RedisRevocationList.close} is called
   */
  async start(): Promise<void> {
    this.unsubscribe ??= subscribe(this.client, this.keys.channel, {
      onMessage: (message) => {
        this.receive(message);
      },
      onListening: () => {
        this.syncAgain();
      },
    });
    await this.sync();
  }

  /** Ends the connection that the list has made. From then on `isRevoked` throws. */
  close(): void {
    clearTimeout(this.timer);
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    this.confirmedAt = -Infinity;
  }

  /** Called by Nest. */
  onModuleInit(): Promise<void> {
    return this.start();
  }

  /** Called by Nest. */
  onApplicationShutdown(): void {
    this.close();
  }

  /** @throws TypeError for an invalid revocation or date; an error if the server does not answer in time */
  async revoke(revocation: Revocation, until: Date): Promise<void> {
    const entry = { revocation: checkedRevocation(revocation), endsAt: endOf(until) };
    await this.store(entry);
    this.copy.learn(entry);
  }

  /** @throws an error if the copy may be older than `maxStalenessMs`, and does not have the token */
  readonly isRevoked = (token: RevocationQuery): boolean => {
    if (this.copy.isRevoked(token)) return true; // no later revocation changes that
    if (performance.now() - this.confirmedAt <= this.maxStalenessMs) return false;
    throw new Error(`RedisRevocationList: the copy is older than ${String(this.maxStalenessMs)} ms`);
  };

  /** Errors of the function, synchronous or asynchronous, are logged. */
  onRevoked(listener: (revocation: Revocation) => void): () => void {
    return this.copy.onRevoked(listener);
  }

  private async store(entry: RevocationEntry): Promise<void> {
    const { entries, version, channel } = this.keys;
    const end = String(entry.endsAt);
    const oldest = String(this.now().getTime() - KEPT_MS);
    const args = [end, memberOf(entry), oldest, randomUUID(), channel];
    await this.commands.run('EVAL', REVOKE_SCRIPT, '2', entries, version, ...args);
  }

  private receive(message: string): void {
    try {
      const { before, after, entry } = messageOf(message);
      this.copy.learn(entry);
      if (this.version === before) this.version = after;
    } catch (error) {
      this.version = undefined; // the next look at the server reads everything
      this.report(error);
    }
  }

  /** Makes sure that the copy is complete. Calls at the same time share one look at the server. */
  private sync(): Promise<void> {
    return (this.syncing ??= this.catchUp().finally(() => {
      this.syncing = undefined;
      this.schedule();
    }));
  }

  /** Looks at the server after now: a look that has begun may be older than what was missed. Failures are reported there. */
  private syncAgain(): void {
    const begun = this.syncing ?? Promise.resolve();
    begun
      .catch(() => undefined)
      .then(() => this.sync())
      .catch(() => undefined);
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (!this.unsubscribe) return;
    this.timer = setTimeout(() => {
      this.sync().catch(() => undefined);
    }, this.maxStalenessMs / 3).unref();
  }

  private async catchUp(): Promise<void> {
    const startedAt = performance.now();
    try {
      const found = (await this.commands.run('GET', this.keys.version)) as string | null;
      const version = found ?? NO_VERSION;
      const missing = this.isCurrent(version) ? [] : await this.readAll(version);
      if (this.unsubscribe) this.confirmedAt = startedAt;
      for (let at = 0; at < missing.length; at += RESTORED_AT_ONCE)
        await Promise.all(missing.slice(at, at + RESTORED_AT_ONCE).map((entry) => this.store(entry)));
    } catch (error) {
      this.version = undefined;
      this.report(error);
      throw error;
    }
    if (this.isFailing) this.logger.log('RedisRevocationList reads revocations again');
    this.isFailing = false;
  }

  /** Whether the copy has every revocation. A server that has lost its data is like one that never had any. */
  private isCurrent(version: string): boolean {
    return version === this.version && (version !== NO_VERSION || this.copy.size === 0);
  }

  /**
   * Reads all revocations. A replica may revoke meanwhile: then the version differs from this one afterwards, unless the message
   * about it has arrived.
   *
   * @returns the revocations that the server has lost
   */
  private async readAll(version: string): Promise<readonly RevocationEntry[]> {
    this.version = version;
    // Without what is revoked during the scan: the server has it, even if the scan does not find it.
    const known = [...this.copy.entries];
    const stored = new Set<string>();
    let cursor = '0';
    do {
      const reply = await this.commands.run('ZSCAN', this.keys.entries, cursor, 'COUNT', PAGE);
      const [next, page] = reply as [unknown, unknown[]];
      for (let at = 0; at < page.length; at += 2) {
        this.copy.learn(entryOf(page[at], page[at + 1]));
        stored.add(String(page[at]));
      }
      cursor = String(next);
    } while (cursor !== '0');
    const now = this.now().getTime();
    return known.filter((entry) => entry.endsAt > now && !stored.has(memberOf(entry)));
  }

  /** Logs the first failure after a success, until the list is closed. */
  private report(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (!this.isFailing && this.unsubscribe)
      this.logger.error(`RedisRevocationList cannot read revocations: ${reason}`);
    this.isFailing = true;
  }
}
