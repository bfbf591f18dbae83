import type { HttpServer } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { nodeResponseOf, type PlatformResponse } from '../platform/node-message.js';
import { completeCors } from '../rejection/cors-headers.js';

/** Returns the Node response behind what a guard has as its response, if there is one. @internal */
export function nodeResponseIn(response: unknown): ServerResponse | undefined {
  return typeof response === 'object' && response !== null
    ? nodeResponseOf(response as PlatformResponse)
    : undefined;
}

/**
 * Adds the CORS headers for a page of an allowed origin to the response of a route. Headers of the application's own CORS setting
 * stay.
 *
 * @param response - that of the platform; undefined if there is none
 * @internal
 */
export function allowOrigin(origin: string, response: unknown, adapter: Pick<HttpServer, 'setHeader'>): void {
  if (!response) return;
  const node = nodeResponseIn(response);
  completeCors(origin, {
    get: (name) => (response as { getHeader?(name: string): unknown }).getHeader?.(name),
    set: (name, value) => {
      adapter.setHeader(response, name, value);
      // Code that answers on Node's response itself does not see the headers of Fastify's response.
      if (node && node !== response) node.setHeader(name, value);
    },
  });
}
