import { type HttpAdapterHost } from '@nestjs/core';
import { hasRequestsOfItsOwn, type PlatformRequest } from './hooks.js';
import { type PlatformResponse } from './node-message.js';

/** Reads the body of a request into its `body`, or hands on why it cannot. @internal */
export type ParseBody = (
  request: PlatformRequest,
  response: PlatformResponse,
  next: (error?: unknown) => void,
) => void;

/** The part of an Express application that is used: its middleware, in order. */
interface ExpressLike {
  readonly router?: { readonly stack?: readonly Layer[] };
}

interface Layer {
  readonly handle?: ParseBody;
  /** Whether it stands before all paths. */
  readonly slash?: boolean;
}

/** What `express.json()` is called, by which Nest knows it too. */
const JSON_PARSER = 'jsonParser';

const found = new WeakMap<object, ParseBody>();

/**
 * The JSON parser that an Express application has for all paths, with the limits that it was given: Nest's own, or one by
 * `app.useBodyParser()` or `app.use(express.json())`. It passes over a body that has been read.
 *
 * @returns undefined on platforms whose bodies are read before all routes, and where the application has no such parser
 * @internal
 */
export function jsonParserOf(adapter: HttpAdapterHost['httpAdapter']): ParseBody | undefined {
  if (hasRequestsOfItsOwn(adapter)) return undefined;
  const known = found.get(adapter);
  if (known) return known;
  const { router } = adapter.getInstance<ExpressLike>();
  const parser = router?.stack?.find(({ handle, slash }) => slash === true && handle?.name === JSON_PARSER);
  if (parser?.handle) found.set(adapter, parser.handle);
  return parser?.handle;
}
