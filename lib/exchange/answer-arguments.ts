import { type OutgoingHttpHeader, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';

/** @internal */
export type Done = ((error?: Error | null) => void) | undefined;

/** What `write()` and `end()` take: a chunk, its encoding, and a callback, some of them left out. @internal */
export type Given = readonly unknown[];

/** As Node does it where the head has been sent. @internal */
export function headersSent(): Error {
  const error = new Error('Cannot write headers after they are sent to the client');
  return Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' });
}

/** In lower case; empty where there is none. @internal */
export function headerOf(response: ServerResponse, name: string): string {
  return String(response.getHeader(name) ?? '').toLowerCase();
}

/** Sets headers as `writeHead()` takes them: an object, or a list of names and values in which names may come again. @internal */
export function setHeaders(
  response: ServerResponse,
  headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[] = {},
): void {
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders))
      if (value !== undefined) response.setHeader(name, value);
    return;
  }
  const list = headers.flat() as string[];
  const pairs = list.flatMap((name, index) =>
    index % 2 === 0 ? [[name, list[index + 1] ?? ''] as const] : [],
  );
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) response.appendHeader(name, value);
}

/** @internal */
export function readArguments(given: Given): { readonly chunk: Buffer; readonly done: Done } {
  const [chunk, encoding] = given;
  const done = given.find((each) => typeof each === 'function') as Done;
  const isNone = chunk === undefined || chunk === null || typeof chunk === 'function';
  if (isNone) return { chunk: Buffer.alloc(0), done };
  if (typeof chunk !== 'string') return { chunk: Buffer.from(chunk as Uint8Array), done };
  return {
    chunk: Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'),
    done,
  };
}

/** @internal */
export function isEventStream(type: string): boolean {
  return type.startsWith('text/event-stream');
}

/** The methods of a response as they are now. @internal */
export function bound(
  response: ServerResponse,
): Pick<ServerResponse, 'writeHead' | 'flushHeaders' | 'write' | 'end'> {
  return {
    writeHead: response.writeHead.bind(response),
    flushHeaders: response.flushHeaders.bind(response),
    write: response.write.bind(response),
    end: response.end.bind(response),
  };
}
