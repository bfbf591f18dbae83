import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { Server } from 'node:http';
import { OperatorLogger } from '../events/operator.logger.js';
import { onStarted } from '../platform/mcp-nest.js';
import { HandlerScan } from './handler-scan.js';

/** How long an application may still connect its strategies after it listens, in milliseconds. */
const PATIENCE_MS = 100;

/**
 * Warns of MCP handlers that no strategy serves: @rekog/mcp-nest answers requests for them with 500 and does not name the
 * cause. Strategies may be connected until the application listens, so the check runs then.
 *
 * @internal
 */
@Injectable()
export class UnservedHandlers implements OnApplicationBootstrap {
  private readonly logger = new OperatorLogger();
  /** The servers whose strategies have started. */
  private readonly started = new Set<unknown>();

  constructor(
    modules: ModulesContainer,
    private readonly host: HttpAdapterHost,
    private readonly scan: HandlerScan,
  ) {
    onStarted(modules, (server) => this.started.add(server));
  }

  onApplicationBootstrap(): void {
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    const server = adapter?.getHttpServer() as Partial<Server> | undefined;
    server?.once?.('listening', () => {
      setTimeout(() => {
        if (server.listening) this.warn();
      }, PATIENCE_MS).unref();
    });
  }

  private warn(): void {
    const unserved = this.scan
      .handlers()
      .filter(({ operation, server }) => operation !== undefined && !this.started.has(server))
      .map(({ controller }) => controller.name);
    for (const controller of new Set(unserved)) {
      this.logger.warn(
        `${controller} is served by no MCP server; before app.listen(), call app.connectMicroservice({ strategy }) with the ` +
          'McpStrategy of its transport and await app.startAllMicroservices()',
      );
    }
  }
}
