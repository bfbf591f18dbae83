import { AsyncLocalStorage } from 'node:async_hooks';

/** The Node request in whose course code runs. One for all modules of a process: the request says what it was admitted as. */
const requests = new AsyncLocalStorage<object>();

/** Runs what handles a request, so that {@link currentRequest} finds it there. @internal */
export function runForRequest(request: object, handle: () => void): void {
  if (requests.getStore() === request) handle();
  else requests.run(request, handle);
}

/** The Node request in whose course this is called; undefined outside of one. @internal */
export function currentRequest(): object | undefined {
  return requests.getStore();
}
