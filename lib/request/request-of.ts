import type { ArgumentsHost } from '@nestjs/common';
import { rawRequestOf } from '../platform/mcp-nest.js';
import { RequestContext } from './request-context.js';

/**
 * Returns the HTTP request behind a handler; undefined if there is none. The handler is of an HTTP route, or an MCP handler
 * that a transport calls for a request (`rpc` with `@rekog/mcp-nest`, `mcp` with `@nestjs/mcp`).
 *
 * An MCP handler belongs to the request in whose course it runs. Its transport may pass on another one: in a stateful session,
 * concurrent requests overwrite it for each other.
 *
 * @internal
 */
export function requestOf(context: ArgumentsHost): object | undefined {
  const type = context.getType<string>();
  // Not by switchToHttp(), which puts three functions on Nest's context each time.
  if (type === 'http') return context.getArgByIndex<object>(0);
  const current = RequestContext.current()?.request;
  if (type === 'mcp') return current;
  if (type !== 'rpc') return undefined;
  const request = rawRequestOf(context.getArgByIndex(1));
  if (typeof request !== 'object' || request === null) return undefined;
  return current ?? request;
}
