import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { type AuthInfo } from './auth-info.decorator.js';
import { admissionOf } from './request-auth.js';

/** The Node request in whose course code runs. One for all modules of a process: the request says what it was admitted as. */
const requests = new AsyncLocalStorage<object>();

/** Runs what handles a request, so that {@link AuthContext} finds it there. @internal */
export function runForRequest(request: object, handle: () => void): void {
  if (requests.getStore() === request) handle();
  else requests.run(request, handle);
}

/**
 * The current caller, for services that no request is passed to.
 *
 * Follows the request through promises, timers and callbacks (`AsyncLocalStorage`). In a stateful MCP session it is the
 * caller of the request that runs, not of the one that opened the session. Work that a request leaves behind still has
 * its caller.
 *
 * @publicApi
 */
@Injectable()
export class AuthContext {
  /** The caller; undefined outside of a request, before it is admitted, and for an anonymous one. */
  current(): AuthInfo | undefined {
    return admissionOf(requests.getStore())?.auth;
  }
}
