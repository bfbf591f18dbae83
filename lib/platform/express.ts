import type { HttpAdapterHost } from '@nestjs/core';
import type { Hook } from './node-message.js';

/** One middleware or route of an Express application. */
interface Layer {
  readonly handle?: unknown;
  /** Whether it stands before all paths. */
  readonly slash?: boolean;
}

/**
 * An Express application, with its middleware and routes in order. `router.stack` and its layers are undocumented; Nest
 * reads them too. Checked with Express 5.2.1 to 5.3.0.
 */
interface ExpressLike {
  readonly router?: { readonly stack?: Layer[] };
}

/** The name of the function that `express.json()` returns. Undocumented. Checked with Express 5.2.1 to 5.3.0. */
const JSON_PARSER = 'jsonParser';

function stackOf(adapter: HttpAdapterHost['httpAdapter']): Layer[] {
  return adapter.getInstance<ExpressLike>().router?.stack ?? [];
}

/** The hooks that stand in front, in the order in which they were put there. */
const inFront = new WeakSet();

/**
 * Puts a hook before all that an Express application has, also before routes of an instance that was given to the adapter.
 *
 * @internal
 */
export function addExpressHookInFront(adapter: HttpAdapterHost['httpAdapter'], hook: Hook): void {
  adapter.use(hook);
  const stack = stackOf(adapter);
  const last = stack.pop();
  if (typeof last?.handle !== 'function') return;
  const at = stack.findIndex(({ handle }) => typeof handle !== 'function' || !inFront.has(handle));
  stack.splice(at === -1 ? stack.length : at, 0, last);
  inFront.add(last.handle);
}

/** The JSON parser that an Express application has for all paths; undefined if it has none. @internal */
export function expressJsonParser(adapter: HttpAdapterHost['httpAdapter']): Hook | undefined {
  const isJsonParser = ({ handle, slash }: Layer): boolean =>
    slash === true && typeof handle === 'function' && handle.name === JSON_PARSER;
  return stackOf(adapter).find(isJsonParser)?.handle as Hook | undefined;
}
