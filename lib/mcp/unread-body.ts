import { MessageRejectedError } from '../errors/rejection.errors.js';
import { hasContent } from '../platform/node-message.js';

/** Matches the media type in any letter case, and parameters: a name, and a token or a quoted string. */
const JSON_TYPE =
  /^\s*application\/json\s*(?:;\s*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"(?:[^"\\]|\\.)*")\s*)*$/i;

const UNREAD =
  'The body is not parsed, so the operations in it cannot be checked as an McpHandlerSource or "undeclaredTools" requires; ' +
  'let a JSON body parser run before the guard';

/** The part of a request that describes its body. */
interface BodiedRequest {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  /** Node's request, if this is not one. */
  readonly raw?: unknown;
}

/**
 * Returns whether a request has a body that has not been parsed. A server behind the guard that reads the body itself would
 * run operations that were not authorized.
 *
 * The media type is ignored. MCP has only `application/json`, but a lenient server may read any body as a message.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http | MCP, Streamable HTTP}
 * @internal
 */
export function hasUnreadMessage(request: BodiedRequest): boolean {
  const { body } = request;
  if (body === undefined || body === null) return hasContent(request);
  return typeof body !== 'object' || ArrayBuffer.isView(body) || 'pipe' in body || 'getReader' in body;
}

/**
 * Returns whether the `Content-Type` is `application/json`, the only type of MCP, with any parameters. A JSON body parser
 * reads such a body. It need not read bodies of another or malformed type.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1 | RFC 9110 section 8.3.1}
 * @internal
 */
export function isSentAsJson({ headers }: Pick<BodiedRequest, 'headers'>): boolean {
  const type = headers['content-type'];
  return typeof type === 'string' && JSON_TYPE.test(type);
}

/**
 * Returns whether a body is a JSON value that is neither object nor array, so that it contains no message. Unparsed text
 * looks the same.
 *
 * @internal
 */
export function isScalar(body: unknown): boolean {
  return body === null || (body !== undefined && typeof body !== 'object');
}

/** Returns why a body cannot be checked: the client's request, or the application's body parser. @internal */
export function unreadFailure(request: BodiedRequest): Error {
  if (!isSentAsJson(request)) return new MessageRejectedError('media_type');
  return isScalar(request.body) ? new MessageRejectedError('not_a_message') : new Error(UNREAD);
}
