import { AsyncResource } from 'node:async_hooks';

/** Has the async context of the time when the package was loaded, which is that of no request. */
const outside = new AsyncResource('nestjs-mcp-auth');

/**
 * Runs a function outside of the request that is under way: no `AsyncLocalStorage` of the application, such as that of a
 * request-bound logger, has a request's store in it.
 *
 * @internal
 */
export function outsideRequests<T>(run: () => T): T {
  return outside.runInAsyncScope(run);
}
