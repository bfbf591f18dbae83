import { MessageRejectedError } from '../errors/rejection.errors.js';
import { hasContent } from '../platform/node-message.js';

/** The media type in any case, and parameters: a name, and a token or a quoted text. */
const JSON_TYPE =
  /^\s*application\/json\s*(?:;\s*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"(?:[^"\\]|\\.)*")\s*)*$/i;

const UNREAD =
  'The body is not parsed, so that it cannot be decided on, as an McpHandlerSource or "undeclaredTools" asks for; ' +
  'let a JSON body parser run before the guard';

/** The part of a request that tells of its body. */
interface BodiedRequest {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  /** Node's request, if this is none. */
  readonly raw?: unknown;
}

/**
 * Tells whether a request has a body that has not been parsed: a server behind the guard that reads it itself would run
 * what nobody has decided on.
 *
 * The media type does not count. MCP has `application/json` only, but a lenient server may read any body as a message.
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
 * Tells whether a request says that its body is of the one type that MCP has, `application/json`, whatever its parameters:
 * a JSON body parser reads such a body. It need not read any other, nor one whose type is not well-formed.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1 | RFC 9110 section 8.3.1}
 * @internal
 */
export function isSentAsJson({ headers }: Pick<BodiedRequest, 'headers'>): boolean {
  const type = headers['content-type'];
  return typeof type === 'string' && JSON_TYPE.test(type);
}

/**
 * Tells whether a body is a parsed JSON text that is neither object nor array, so that there is no message in it. Text that
 * nobody has parsed looks like that too.
 *
 * @internal
 */
export function isScalar(body: unknown): boolean {
  return body === null || (body !== undefined && typeof body !== 'object');
}

/** Why nothing can be decided on: by what the client has sent, or by how the application reads it. @internal */
export function unreadFailure(request: BodiedRequest): Error {
  if (!isSentAsJson(request)) return new MessageRejectedError('media_type');
  return isScalar(request.body) ? new MessageRejectedError('not_a_message') : new Error(UNREAD);
}
