import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { OperatorLogger } from './operator.logger.js';

const WINDOW_SECONDS = 60;
const LINES_PER_WINDOW = 10;
/** There are few kinds; this only bounds the memory if a caller invents many. */
const MAX_KINDS = 1000;

/** The number of lines of a kind since a time. */
interface Window {
  readonly since: number;
  lines: number;
}

/**
 * The operator's log, which clients cannot flood. Of one kind of message, ten lines per minute are written and the rest is
 * counted. The count is written with the first line after that minute. It has no timer.
 *
 * @internal
 */
@Injectable()
export class RateLimitedLogger {
  private readonly logger = new OperatorLogger();
  private readonly windows = new Map<string, Window>();

  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'now'>) {}

  /**
   * @param level - debug for actions of clients, warn for authorization servers, error for faults of our own
   * @param kind - the kind of line; lines of one kind are counted together
   * @param message - the line, or a function that returns it, for lines that are rarely written; untrusted parts are escaped
   * already
   * @param stack - further lines
   */
  write(
    level: 'debug' | 'warn' | 'error',
    kind: string,
    message: string | (() => string),
    stack?: string,
  ): void {
    const { suppressed, isWritten } = this.count(kind);
    if (suppressed > 0) {
      this.logger.write(level, `… and ${String(suppressed)} more in ${String(WINDOW_SECONDS)} s: ${kind}`);
    }
    if (!isWritten) return;
    const line = typeof message === 'string' ? message : message();
    this.logger.write(level, line, stack);
  }

  private count(kind: string): { suppressed: number; isWritten: boolean } {
    const now = this.options.now().getTime() / 1000;
    const window = this.windows.get(kind);
    if (window && now >= window.since && now < window.since + WINDOW_SECONDS) {
      window.lines += 1;
      return { suppressed: 0, isWritten: window.lines <= LINES_PER_WINDOW };
    }
    if (this.windows.size >= MAX_KINDS) this.windows.clear();
    this.windows.set(kind, { since: now, lines: 1 });
    return { suppressed: Math.max(0, (window?.lines ?? 0) - LINES_PER_WINDOW), isWritten: true };
  }
}
