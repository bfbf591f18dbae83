import type { ServerResponse } from 'node:http';
import {
  callbackOf,
  type Done,
  type Given,
  headersIn,
  replaceHeaderIn,
} from '../platform/response-arguments.js';

/*
 * All methods that this package replaces on a Node response are in this file. Wrappers of others stay in effect below.
 *
 * Consumers stand in layers: the first to intercept a response is next to the connection, the last next to the application.
 * The head, the messages and the end pass them from the application to the connection: late step-up, then lists, then
 * sessions. So sessions see the head that is sent and not one that was replaced, and late step-up sees an answer as the
 * application wrote it, before a compression of the application. The end of a stream with its token passes all of them,
 * and nothing is sent after it.
 */

/** The head of a response. @internal */
export interface ResponseHead {
  readonly status: number;
  /** @param name - in lower case */
  readonly header: (name: string) => string | undefined;
}

/** The methods that write a response. @internal */
export interface ResponseMethods {
  readonly writeHead: (...given: Given) => ServerResponse;
  readonly flushHeaders: () => void;
  readonly write: (...given: Given) => boolean;
  readonly end: (...given: Given) => ServerResponse;
}

/** Calls a function with the head of a response right before it is sent, in whatever way. @internal */
export function beforeHead(response: ServerResponse, look: (head: ResponseHead) => void): void {
  const writeHead = response.writeHead.bind(response) as ResponseMethods['writeHead'];
  const observed = (...given: Given): ServerResponse => {
    look({ status: Number(given[0]), header: (name) => headerOfHead(response, given, name) });
    return writeHead(...given);
  };
  patch(response, { writeHead: observed });
}

/**
 * Replaces the value of a header right before it is sent, in whatever way.
 *
 * @param name - in lower case
 * @param rewrite - called if the response has the header; returns the value to send, or the same one
 * @internal
 */
export function rewriteHeader(
  response: ServerResponse,
  name: string,
  rewrite: (value: string, status: number) => string,
): void {
  const writeHead = response.writeHead.bind(response) as ResponseMethods['writeHead'];
  const observed = (...given: Given): ServerResponse => {
    const value = headerOfHead(response, given, name);
    const rewritten = value && rewrite(value, Number(given[0]));
    if (!rewritten || rewritten === value) return writeHead(...given);
    if (response.hasHeader(name)) response.setHeader(name, rewritten);
    return writeHead(...replaceHeaderIn(given, name, rewritten));
  };
  patch(response, { writeHead: observed });
}

/** A header among the arguments of `writeHead()` replaces one that was set before. */
function headerOfHead(response: ServerResponse, given: Given, name: string): string | undefined {
  return (
    firstText(headersIn(given).find(([other]) => other.toLowerCase() === name)?.[1]) ??
    firstText(response.getHeader(name))
  );
}

/** Calls a function with each write to a response, before it is sent. @internal */
export function beforeWrites(response: ServerResponse, look: (given: Given) => void): void {
  const write = response.write.bind(response) as ResponseMethods['write'];
  const observed = (...given: Given): boolean => {
    look(given);
    return write(...given);
  };
  patch(response, { write: observed });
}

/**
 * Calls a function with each chunk of a body, before it is sent.
 *
 * @param look - told whether the chunk is the last; must not throw
 * @internal
 */
export function beforeBody(response: ServerResponse, look: (given: Given, isEnd: boolean) => void): void {
  const write = response.write.bind(response) as ResponseMethods['write'];
  const end = response.end.bind(response) as ResponseMethods['end'];
  let isEnding = false;
  patch(response, {
    write: (...given) => {
      // A response of HTTP/2 writes its last chunk by write().
      if (!isEnding) look(given, false);
      return write(...given);
    },
    end: (...given) => {
      if (!isEnding) look(given, true);
      isEnding = true;
      return end(...given);
    },
  });
}

/** Ends a response, and ignores further writes: the code that writes does not know that it has ended. @internal */
export function endResponse(response: ServerResponse, last?: string): void {
  response.end(last);
  const self = (...given: Given): ServerResponse => {
    callBack(callbackOf(given));
    return response;
  };
  const ignore = (...given: Given): boolean => self(...given) === response;
  patch(response, { writeHead: self, flushHeaders: () => undefined, write: ignore, end: self });
}

/**
 * Replaces the methods of a response that the application calls.
 *
 * @param make - makes the new methods from the ones below
 * @param hasBegun - whether the head counts as sent, even if it is not sent below
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
  patch(response, make(below));
  const own = Object.getOwnPropertyDescriptor(response, 'headersSent');
  const isSentBelow = (): unknown =>
    own?.get
      ? own.get.call(response)
      : Reflect.get(Object.getPrototypeOf(response) as object, 'headersSent', response);
  const get = (): boolean => hasBegun() || isSentBelow() === true;
  Object.defineProperty(response, 'headersSent', { get, configurable: true });
}

/**
 * Puts methods on a response. By definition and not by assignment: with that, the garbage collector takes three times as long
 * (row "one hot token", earlyAuthentication).
 */
function patch(response: ServerResponse, methods: Partial<ResponseMethods>): void {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(response, name, { value, writable: true, enumerable: true, configurable: true });
  }
}

/** Calls the callback of a write, as if it was done. @internal */
export function callBack(done: Done): void {
  if (done) process.nextTick(done);
}

function firstText(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' || typeof first === 'number' ? String(first) : undefined;
}
