import type { ServerResponse } from 'node:http';

/** What `writeHead()`, `write()` and `end()` of a Node response take, some of it left out. @internal */
export type Given = readonly unknown[];

/** @internal */
export type Done = ((error?: Error | null) => void) | undefined;

type HeaderValue = string | string[];

/**
 * The headers among the arguments of `writeHead()`, in each of the forms that Node takes: an object, a list of pairs, or
 * names and values in turn. In lists names may come again.
 *
 * @internal
 */
export function headersIn(given: Given): readonly (readonly [name: string, value: HeaderValue])[] {
  const headers = given.find((each) => typeof each === 'object' && each !== null);
  if (!Array.isArray(headers)) {
    return Object.entries((headers ?? {}) as Record<string, HeaderValue | undefined>).flatMap(
      ([name, value]) => (value === undefined ? [] : [[name, value] as const]),
    );
  }
  const list = headers.every(Array.isArray) ? (headers.flat() as HeaderValue[]) : (headers as HeaderValue[]);
  return list.flatMap((name, at) => (at % 2 === 0 ? [[String(name), list[at + 1] ?? ''] as const] : []));
}

/**
 * Returns the arguments of `writeHead()` with another value of a header, in the form that they had. The same arguments if the
 * header is not among them.
 *
 * @param name - in lower case
 * @internal
 */
export function replaceHeaderIn(given: Given, name: string, value: string): Given {
  const isIt = (other: unknown): boolean => String(other).toLowerCase() === name;
  return given.map((headers) => {
    if (typeof headers !== 'object' || headers === null) return headers;
    if (!Array.isArray(headers)) {
      return Object.fromEntries(
        Object.entries(headers).map(([other, own]: [string, unknown]) => [other, isIt(other) ? value : own]),
      );
    }
    const list = headers as readonly unknown[];
    if (list.every(Array.isArray))
      return list.map((pair: unknown[]) => (isIt(pair[0]) ? [pair[0], value] : pair));
    return list.map((each, at) => (at % 2 === 1 && isIt(list[at - 1]) ? value : each));
  });
}

/** Sets the headers among the arguments of `writeHead()`. @internal */
export function setHeadersIn(given: Given, response: ServerResponse): void {
  const names = new Set<string>();
  for (const [name, value] of headersIn(given)) {
    if (names.has(name.toLowerCase())) response.appendHeader(name, value);
    else response.setHeader(name, value);
    names.add(name.toLowerCase());
  }
}

/** The bytes among the arguments of a write or an end; undefined where there are none. @internal */
export function bytesOf([chunk, encoding]: Given): Buffer | undefined {
  if (typeof chunk === 'string') {
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : undefined;
}

/** The callback among the arguments of a write or an end. @internal */
export function callbackOf(given: Given): Done {
  return given.find((each) => typeof each === 'function') as Done;
}

/** Tells whether a `Content-Type` is that of an event stream. @internal */
export function isEventStream(type: unknown): boolean {
  return /^text\/event-stream\b/i.test(String(type));
}

/** As Node does it where the head has been sent. @internal */
export function headersSent(): Error {
  const error = new Error('Cannot write headers after they are sent to the client');
  return Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' });
}

/** In lower case; empty where there is none. @internal */
export function headerOf(response: ServerResponse, name: string): string {
  return String(response.getHeader(name) ?? '').toLowerCase();
}

/**
 * Returns a header of a response, in lower case; empty if it has none. Node does not expose headers that were given to
 * `writeHead()`, but keeps the sent head in `_header` (checked with Node 20 to 24).
 *
 * @param name - in lower case, of letters and hyphens
 * @internal
 */
export function sentHeaderOf(response: ServerResponse, name: string): string {
  const value = headerOf(response, name);
  if (value !== '') return value;
  const { _header: sent } = response as { readonly _header?: unknown };
  return (new RegExp(`^${name}: *(.*)$`, 'im').exec(String(sent))?.[1] ?? '').toLowerCase();
}

/** Returns the media type of a response, in lower case; empty if it has none. @internal */
export function mediaTypeOf(response: ServerResponse): string {
  return sentHeaderOf(response, 'content-type');
}
