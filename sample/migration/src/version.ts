import type { INestApplication, Type } from '@nestjs/common';
import type { McpStrategy } from '@rekog/mcp-nest';

/** One version of the server. */
export interface Version {
  readonly module: Type;
  readonly mcp: McpStrategy;
  /** What its main.ts does before the application listens. */
  prepare?(app: INestApplication): void;
}

/** What a tool of `@rekog/mcp-nest` sees of the HTTP request that called it. */
export interface RawRequestContext<T> {
  getRawRequest(): T | undefined;
}
