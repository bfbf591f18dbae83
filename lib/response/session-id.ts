/** The header in Node's spelling. @internal */
export const SESSION_ID = 'mcp-session-id';

/** The length of 128 bits in base64url. */
const MIN_LENGTH = 22;

/** The part of a Node request that contains its headers. @internal */
export interface HeadedRequest {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly rawHeaders?: string[];
  headersDistinct?: Record<string, string[] | undefined>;
}

/**
 * Replaces a header in all forms that Node offers, because transports read headers in several ways.
 *
 * @param value - undefined removes the header
 * @internal
 */
export function replaceHeader(request: HeadedRequest, name: string, value: string | undefined): void {
  const { headers, rawHeaders } = request;
  Reflect.deleteProperty(headers, name);
  if (value !== undefined) headers[name] = value;
  if (!rawHeaders) return;
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    if (rawHeaders[at]?.toLowerCase() === name) rawHeaders.splice(at, 2);
  }
  if (value !== undefined) rawHeaders.push(name, value);
  request.headersDistinct = distinct(rawHeaders);
}

/** As Node makes it, which may have done so before. Not by its getter: some versions throw there for `__proto__`. */
function distinct(rawHeaders: readonly string[]): Record<string, string[]> {
  const values = Object.create(null) as Record<string, string[]>;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    (values[String(rawHeaders[at]).toLowerCase()] ??= []).push(String(rawHeaders[at + 1]));
  }
  return values;
}

/**
 * Returns whether a body may open a session: it has an `initialize` message, alone or in a batch, or is not read yet.
 *
 * @internal
 */
export function mayOpenSession(body: unknown): boolean {
  return Array.isArray(body) ? body.some(mayInitialize) : mayInitialize(body);
}

function mayInitialize(body: unknown): boolean {
  const method: unknown = (body as { method?: unknown } | null | undefined)?.method;
  return typeof method !== 'string' || method === 'initialize';
}

/**
 * Returns whether a session id is long enough for 128 bits and has only visible ASCII characters. It cannot check whether
 * the id is random.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management | MCP, session management}
 * @internal
 */
export function isSoundSessionId(id: string): boolean {
  return id.length >= MIN_LENGTH && /^[\x21-\x7E]+$/.test(id);
}

/**
 * Returns whether a client names event streams among the types that it accepts.
 *
 * @internal
 */
export function namesEventStream({ headers }: Pick<HeadedRequest, 'headers'>): boolean {
  return /text\/event-stream/i.test(String(headers['accept'] ?? ''));
}
