import type { ServerResponse } from 'node:http';
import { callbackOf, type Done, type Given, headerOf, headersIn } from '../platform/response-arguments.js';

/*
 * All that is put on a Node response stands in this file. Wrappers that others have put there stay in effect, below it.
 *
 * Consumers stand in layers: the first to intercept a response is next to the connection, the last next to the application.
 * The head, the messages and the end pass them from the application to the connection: late step-up, then lists, then
 * sessions. So sessions see the head that is sent and not one that was replaced, and late step-up sees an answer as the
 * application wrote it, before a compression of the application. The end of a stream with its token passes all of them,
 * and nothing is sent after it.
 */

/** What a response is sent with. @internal */
export interface ResponseHead {
  readonly status: number;
  /** @param name - in lower case */
  readonly header: (name: string) => string | undefined;
}

/** What an answer is written by. @internal */
export interface ResponseMethods {
  readonly writeHead: (...given: Given) => ServerResponse;
  readonly flushHeaders: () => void;
  readonly write: (...given: Given) => boolean;
  readonly end: (...given: Given) => ServerResponse;
}

/** Looks at the head of a response right before it is sent, whoever sends it and however. @internal */
export function beforeHead(response: ServerResponse, look: (head: ResponseHead) => void): void {
  const writeHead = response.writeHead.bind(response) as ResponseMethods['writeHead'];
  response.writeHead = (...given: Given): ServerResponse => {
    const header = (name: string): string | undefined =>
      firstText(headersIn(given).find(([other]) => other.toLowerCase() === name)?.[1]) ??
      firstText(response.getHeader(name));
    look({ status: Number(given[0]), header });
    return writeHead(...given);
  };
}

/** Looks at what is written to a response, before it is sent. @internal */
export function beforeWrites(response: ServerResponse, look: (given: Given) => void): void {
  const write = response.write.bind(response) as ResponseMethods['write'];
  response.write = (...given: Given): boolean => {
    look(given);
    return write(...given);
  };
}

/** Ends a response, and lets nothing more be written to it, as whoever writes it does not know. @internal */
export function endResponse(response: ServerResponse, last?: string): void {
  response.end(last);
  const self = (...given: Given): ServerResponse => {
    callBack(callbackOf(given));
    return response;
  };
  const ignore = (...given: Given): boolean => self(...given) === response;
  Object.assign(response, { writeHead: self, flushHeaders: () => undefined, write: ignore, end: self });
}

/**
 * Stands between an application and a response.
 *
 * @param make - makes what is called by the application from what is called below
 * @param hasBegun - whether the head counts as sent, where that is not so below
 * @internal
 */
export function interceptResponse(
  response: ServerResponse,
  make: (below: ResponseMethods) => ResponseMethods,
  hasBegun: () => boolean,
): void {
  const below = {
    writeHead: response.writeHead.bind(response) as ResponseMethods['writeHead'],
    flushHeaders: response.flushHeaders.bind(response),
    write: response.write.bind(response) as ResponseMethods['write'],
    end: response.end.bind(response) as ResponseMethods['end'],
  };
  Object.assign(response, make(below));
  const own = Object.getOwnPropertyDescriptor(response, 'headersSent');
  const isSentBelow = (): unknown =>
    own?.get
      ? own.get.call(response)
      : Reflect.get(Object.getPrototypeOf(response) as object, 'headersSent', response);
  const get = (): boolean => hasBegun() || isSentBelow() === true;
  Object.defineProperty(response, 'headersSent', { get, configurable: true });
}

/**
 * The media type of an answer. Node does not tell headers that were given to `writeHead()`, but keeps what it has sent in
 * `_header` (checked with Node 20 to 24).
 *
 * @internal
 */
export function mediaTypeOf(response: ServerResponse): string {
  const { _header: sent } = response as { readonly _header?: unknown };
  const type = headerOf(response, 'content-type');
  return type === '' ? (/^content-type: *(.*)$/im.exec(String(sent))?.[1] ?? '').toLowerCase() : type;
}

/** Calls the callback of a write as though that had been done. @internal */
export function callBack(done: Done): void {
  if (done) process.nextTick(done);
}

function firstText(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' || typeof first === 'number' ? String(first) : undefined;
}
