import type { IncomingHttpHeaders } from 'node:http';
import { valuesIn } from '../platform/header-lines.js';

/** The part of a request that its origin is read from, on any platform. @internal */
export interface OriginRequest {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders?: readonly string[];
  /** The Node request behind a request of Fastify's. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
}

/**
 * Every value of a header, one for each line that came in. Node keeps the first of several Host lines only, and joins
 * Origin lines, in `headers`.
 *
 * Platforms that make a request without lines, such as serverless adapters, have it in `headers` alone: a header is
 * never taken for absent because of that.
 *
 * @param name - in lower case
 * @internal
 */
export function headerValues(request: OriginRequest, name: string): readonly string[] {
  const values = valuesIn(request.rawHeaders ?? request.raw?.rawHeaders ?? [], name);
  if (values.length > 0) return values;
  const value = request.headers[name];
  return value === undefined ? values : [value].flat();
}
