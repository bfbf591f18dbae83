import { AsyncResource } from 'node:async_hooks';

/** Made when the package is loaded, which is not in the course of a request. */
const outside = new AsyncResource('nestjs-mcp-auth');

/**
 * Runs work that requests share outside the async context of any request: of every `AsyncLocalStorage` of the process.
 *
 * A timer, a promise and a connection keep the context in which they were made. If the first of several requests made
 * them, the code of the others would run in its context, and it could not be garbage collected.
 *
 * @internal
 */
export function outsideRequests<T>(work: () => T): T {
  return outside.runInAsyncScope(work);
}
