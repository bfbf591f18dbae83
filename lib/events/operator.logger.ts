import { Logger } from '@nestjs/common';
import { outsideRequests } from '../platform/outside-requests.js';

type Level = 'log' | 'warn' | 'debug' | 'error';

/**
 * Writes the log lines of the package to the logger of the application, outside of any request. A logger that adds the request
 * to each line, as nestjs-pino does, would add its `Authorization` header.
 *
 * @internal
 */
export class OperatorLogger {
  private readonly logger = new Logger('McpAuth');

  log(message: string): void {
    this.write('log', message);
  }

  warn(message: string): void {
    this.write('warn', message);
  }

  debug(message: string): void {
    this.write('debug', message);
  }

  error(message: string): void {
    this.write('error', message);
  }

  /** @param stack - further lines */
  write(level: Level, message: string, stack?: string): void {
    outsideRequests(() => {
      this.logger[level](message, ...(stack === undefined ? [] : [stack]));
    });
  }
}
