import type { HttpServer } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { completeCors } from '../rejection/cors-headers.js';

/**
 * Adds the CORS headers for a page of an allowed origin to the response of a route. Headers of the application's own CORS setting
 * stay.
 *
 * @param response - that of the platform; undefined if there is none
 * @param node - the Node response behind it
 * @internal
 */
export function allowOrigin(
  origin: string,
  response: unknown,
  node: ServerResponse | undefined,
  adapter: Pick<HttpServer, 'setHeader'>,
): void {
  if (!response) return;
  completeCors(origin, {
    get: (name) => (response as { getHeader?(name: string): unknown }).getHeader?.(name),
    set: (name, value) => {
      adapter.setHeader(response, name, value);
      // Code that answers on Node's response itself does not see the headers of Fastify's response.
      if (node && node !== response) node.setHeader(name, value);
    },
  });
}
