import { Injectable } from '@nestjs/common';
import { type AuthInfo } from './auth-info.decorator.js';
import { currentRequest } from './current-request.js';
import { admissionOf } from './request-auth.js';

/**
 * The current caller, for services that no request is passed to.
 *
 * Follows the request through promises, timers and callbacks (`AsyncLocalStorage`). In a stateful MCP session it is the
 * caller of the request that runs, not of the one that opened the session. Work that a request leaves behind still has
 * its caller.
 *
 * Nest makes request-scoped providers before guards run: it is undefined in their constructors, and right in their methods.
 * Listeners on the request's own stream, as in `req.on('data', …)`, are called by the connection and not always in the
 * course of the request: it may be undefined there, and is right in `for await (const chunk of req)`.
 *
 * @publicApi
 */
@Injectable()
export class AuthContext {
  /** The caller; undefined outside of a request, before it is admitted, once it is refused, and for an anonymous one. */
  current(): AuthInfo | undefined {
    return admissionOf(currentRequest())?.auth;
  }
}
