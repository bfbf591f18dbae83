import type { HttpServer } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { completeCors } from '../rejection/cors-headers.js';

/**
 * Sets the CORS headers for a page of an allowed origin on the platform's response, and on that of Node.
 *
 * @internal
 */
export function completeCorsOf(
  adapter: Pick<HttpServer, 'setHeader'>,
  response: unknown,
  node: ServerResponse | undefined,
  origin: string,
): void {
  const platform = response as { getHeader?(name: string): unknown };
  completeCors(origin, {
    get: (name) => platform.getHeader?.(name),
    set: (name, value) => {
      adapter.setHeader(response, name, value);
      // Code that answers on Node's response itself does not see the headers of Fastify's response.
      if (node && node !== response) node.setHeader(name, value);
    },
  });
}
