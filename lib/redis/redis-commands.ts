import { assertRedisClient, isConnected, type RedisClient, sendCommand } from './redis-client.js';

/** Commands without an answer that one object has at most. Each holds some hundred bytes in the client. */
const MAX_PENDING = 10_000;

/** Range of time limits, in milliseconds. */
const TIMEOUT_RANGE = [10, 60_000] as const;

/**
 * Sends commands with a time limit. While the server is away, or does not answer, it fails at once instead of letting the
 * client queue more and more commands.
 *
 * @internal
 */
export class RedisCommands {
  private pending = 0;

  /**
   * @param name - of the class that uses it, for messages
   * @throws TypeError for a client of an unknown kind; RangeError for a time limit out of range
   */
  constructor(
    private readonly name: string,
    private readonly client: RedisClient,
    private readonly timeoutMs: number,
  ) {
    assertRedisClient(name, client);
    assertRange(`${name}: timeoutMs`, timeoutMs, TIMEOUT_RANGE);
  }

  /**
   * @returns the reply
   * @throws an error without the arguments of the command. The command may have been run, or may still be
   */
  async run(...args: [string, ...string[]]): Promise<unknown> {
    if (!isConnected(this.client)) throw new Error(`${this.name}: the client is not connected`);
    if (this.pending >= MAX_PENDING)
      throw new Error(`${this.name}: ${String(MAX_PENDING)} commands have no answer yet`);
    this.pending += 1;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`${this.name}: no answer within ${String(this.timeoutMs)} ms`));
      }, this.timeoutMs).unref();
    });
    try {
      return await Promise.race([this.send(args), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async send(args: readonly [string, ...string[]]): Promise<unknown> {
    try {
      return await sendCommand(this.client, args);
    } catch (error) {
      // eslint-disable-next-line preserve-caught-error -- it may hold the arguments of the command, which name people
      throw new Error(`${this.name}: ${error instanceof Error ? error.message : 'a command failed'}`);
    } finally {
      this.pending -= 1;
    }
  }
}

/** @throws RangeError for a number out of a range @internal */
export function assertRange(name: string, value: number, [min, max]: readonly [number, number]): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `${name} must be a whole number from ${String(min)} to ${String(max)}; got ${String(value)}`,
  );
}
