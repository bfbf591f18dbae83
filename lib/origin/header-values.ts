import { type IncomingHttpHeaders } from 'node:http';

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
  const lines = request.rawHeaders ?? request.raw?.rawHeaders ?? [];
  const values: string[] = [];
  for (let index = 1; index < lines.length; index += 2) {
    if (isNamed(lines[index - 1], name)) values.push(lines[index] ?? '');
  }
  if (values.length > 0) return values;
  const value = request.headers[name];
  return value === undefined ? NONE : [value].flat();
}

const NONE: readonly string[] = [];

/** The length first: most lines are told apart by it. */
function isNamed(line: string | undefined, name: string): boolean {
  return line?.length === name.length && line.toLowerCase() === name;
}
