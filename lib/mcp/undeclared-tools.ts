import { Injectable } from '@nestjs/common';
import { escapeForLog } from '../events/escape-for-log.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';

/** Most undeclared tools that are reported: clients choose the names. */
const MAX_UNDECLARED = 100;

/** Warns of calls of tools that nothing declares. @internal */
@Injectable()
export class UndeclaredTools {
  private readonly told = new Set<string>();

  constructor(private readonly log: RateLimitedLogger) {}

  /** Warns once for each undeclared tool that is called: its declaration is missing, or its name is mistyped. */
  warn(name: string): void {
    const escaped = escapeForLog(name);
    if (this.told.has(escaped) || this.told.size >= MAX_UNDECLARED) return;
    this.told.add(escaped);
    const line =
      'Denied a call of a tool that nothing declares; if it exists, declare it by a decorator or an McpHandlerSource, or ' +
      `set "undeclaredTools" to "allow": "${escaped}"`;
    this.log.write('warn', 'undeclared tool', line);
  }
}
