import { type ServerResponse } from 'node:http';
import { callbackOf, type Given } from './response-arguments.js';

/** What an answer is written by. @internal */
export interface AnswerMethods {
  writeHead: (...args: unknown[]) => unknown;
  write: (...args: unknown[]) => unknown;
  end: (...args: unknown[]) => unknown;
  flushHeaders: () => unknown;
}

/**
 * Puts other methods on one Node response, over those that middleware of the application may have put there.
 *
 * @returns what takes them back
 * @internal
 */
export function takeOver(response: ServerResponse, methods: Partial<AnswerMethods>): () => void {
  const names = Object.keys(methods);
  const before = names.map((name) => Object.getOwnPropertyDescriptor(response, name));
  Object.assign(response, methods);
  return () => {
    names.forEach((name, index) => {
      const own = before[index];
      if (own) Object.defineProperty(response, name, own);
      else Reflect.deleteProperty(response, name);
    });
  };
}

/** The methods of a response as they are now. @internal */
export function methodsOf(
  response: ServerResponse,
): Pick<ServerResponse, 'writeHead' | 'flushHeaders' | 'write' | 'end'> {
  return {
    writeHead: response.writeHead.bind(response),
    flushHeaders: response.flushHeaders.bind(response),
    write: response.write.bind(response),
    end: response.end.bind(response),
  };
}

/** Lets nothing more be written to an answer that has been ended, as whoever wrote it does not know. @internal */
export function silence(response: ServerResponse): void {
  const ignore = (...args: unknown[]): boolean => {
    callBack(args);
    return true;
  };
  const self = (...args: unknown[]): ServerResponse => {
    callBack(args);
    return response;
  };
  takeOver(response, { writeHead: self, write: ignore, end: self, flushHeaders: () => undefined });
}

/** Calls the callback among the arguments of a write, if there is one, as though it had been done. @internal */
export function callBack(args: Given): void {
  const callback = callbackOf(args);
  if (callback) process.nextTick(callback);
}
