import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { McpAuthEvents } from 'nestjs-mcp-auth';
import { pino } from 'pino';
import { AUDIT } from './environment.js';

//#region audit
/** Writes a line of JSON for each decision and each end of a request. A worker thread rotates the files. */
@Injectable()
export class AuditLog implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(AuditLog.name);
  private readonly file = pino.transport({
    target: 'pino-roll',
    // A new file each day, or as soon as one is full. The last hundred are kept.
    options: {
      file: AUDIT.file,
      size: AUDIT.maxSize,
      frequency: 'daily',
      mkdir: true,
      limit: { count: 100, removeOtherLogFiles: true },
    },
  });
  private readonly lines = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // In place of the level, which says nothing here.
      formatters: { level: () => ({ log: 'audit' }) },
    },
    this.file,
  );

  constructor(private readonly events: McpAuthEvents) {}

  onModuleInit(): void {
    this.file.on('error', (error: Error) => {
      this.logger.error(`The audit log cannot be written: ${error.message}`);
    });
    for (const type of ['access_granted', 'access_denied', 'request_completed'] as const) {
      this.events.on(type, (event) => {
        this.lines.info(event);
      });
    }
  }

  /** Runs after the last request, and waits until its lines are in the file. */
  async onApplicationShutdown(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.file.flush(() => {
        resolve();
      });
    });
    this.file.end();
  }
}
//#endregion audit
