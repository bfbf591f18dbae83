import type { IncomingHttpHeaders } from 'node:http';
import { valuesIn } from '../platform/header-lines.js';

/** The part of a request that has its headers, on any platform. @internal */
export interface OriginRequest {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders?: readonly string[];
  /** The Node request, if this is a Fastify request. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
}

/**
 * Returns every value of a header, one for each received line. In `headers`, Node keeps only the first of several Host
 * lines, and joins Origin lines.
 *
 * Platforms that make a request without lines, such as serverless adapters, have values only in `headers`. If there are no
 * lines for a header, its value is read there.
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
