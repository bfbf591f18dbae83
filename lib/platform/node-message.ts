import { IncomingMessage, type ServerResponse } from 'node:http';

/** What Fastify puts around a Node request or response; on Express it is the Node object itself. */
interface Wrapper {
  readonly raw?: unknown;
}

/**
 * The Node request behind a platform's request: the one object that is the same in a middleware, a hook, a guard and a
 * handler.
 *
 * @internal
 */
export function nodeRequestOf(request: object): object {
  if (request instanceof IncomingMessage) return request;
  const { raw } = request as Wrapper;
  // An application may have something else by this name, such as a raw body.
  return typeof raw === 'object' && raw !== null && 'rawHeaders' in raw ? raw : request;
}

/** A platform's response: Node's own, or Fastify's around it. @internal */
export type PlatformResponse = ServerResponse | { hijack(): unknown; readonly raw: ServerResponse };

/** The Node response, for headers that are set before the platform's own. @internal */
export function nodeResponseOf(response: PlatformResponse): ServerResponse {
  return 'hijack' in response ? response.raw : response;
}

/** The Node response, taken out of Fastify's hands: who asks for it answers the request. @internal */
export function takeResponse(response: PlatformResponse): ServerResponse {
  if (!('hijack' in response)) return response;
  response.hijack();
  return response.raw;
}
