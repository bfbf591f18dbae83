import { IncomingMessage, type ServerResponse } from 'node:http';

/** A platform's request: Node's own, or Fastify's around it. @internal */
export type PlatformRequest = Pick<IncomingMessage, 'headers' | 'method' | 'url'> & {
  readonly originalUrl?: string | undefined;
  readonly body?: unknown;
};

/** A platform's response: Node's own, or Fastify's around it. @internal */
export type PlatformResponse = ServerResponse | { hijack(): unknown; readonly raw: ServerResponse };

/** Handles a request or calls `next`. An error goes to the application's handling of errors. @internal */
export type Hook = (
  request: PlatformRequest,
  response: PlatformResponse,
  next: (error?: unknown) => void,
) => void;

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

/** The part of a Node request, of HTTP/1 or HTTP/2, that tells of its body. */
interface FramedRequest {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly stream?: { readonly endAfterHeaders?: unknown } | undefined;
}

/**
 * Whether a body comes with a request, read or not. HTTP/1 says so by headers. HTTP/2 ends the stream after the headers, or
 * does not: it knows no `Transfer-Encoding`, and a body needs no `Content-Length`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9113#section-8.1 | RFC 9113 section 8.1}
 * @internal
 */
export function hasContent(request: Pick<FramedRequest, 'headers'>): boolean {
  const { headers } = request;
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')) return true;
  const { stream } = nodeRequestOf(request) as FramedRequest;
  return length === undefined && stream?.endAfterHeaders === false;
}

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
