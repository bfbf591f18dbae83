import { type HttpAdapterHost } from '@nestjs/core';
import { hasRequestsOfItsOwn, type PlatformRequest } from './hooks.js';
import { type PlatformResponse } from './node-message.js';
import { jsonPeeker } from './peek-json.js';

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

/** The part of a Fastify instance that is used. */
interface FastifyLike {
  readonly initialConfig?: { readonly bodyLimit?: number };
}

/** What Fastify takes for the limit of bodies, in bytes, if it is not told any. */
const FASTIFY_BODY_LIMIT = 1024 * 1024;

/** What `express.json()` is called, by which Nest knows it too. */
const JSON_PARSER = 'jsonParser';

const found = new WeakMap<object, ParseBody>();

/**
 * Reads bodies before the platform does.
 *
 * On Express it is the JSON parser that the application has for all paths, with the limits that it was given: Nest's own, or
 * one by `app.useBodyParser()` or `app.use(express.json())`. It passes over a body that has been read. On Fastify the body
 * is read ahead, up to the `bodyLimit` of the instance, and then read again by Fastify.
 *
 * @returns undefined if an Express application has no such parser
 * @internal
 */
export function jsonParserOf(adapter: HttpAdapterHost['httpAdapter']): ParseBody | undefined {
  const known = found.get(adapter);
  if (known) return known;
  if (hasRequestsOfItsOwn(adapter)) {
    const { initialConfig } = adapter.getInstance<FastifyLike>();
    const peek = jsonPeeker(initialConfig?.bodyLimit ?? FASTIFY_BODY_LIMIT);
    found.set(adapter, peek);
    return peek;
  }
  const { router } = adapter.getInstance<ExpressLike>();
  const parser = router?.stack?.find(({ handle, slash }) => slash === true && handle?.name === JSON_PARSER);
  if (parser?.handle) found.set(adapter, parser.handle);
  return parser?.handle;
}
