/** What a browser may ask on an MCP endpoint. */
const METHODS = 'GET, POST, DELETE';

/** What scripts of another origin may read beyond the body: without the challenge no browser client can log in. */
const EXPOSED = 'WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version';

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin';
const EXPOSE_HEADERS = 'Access-Control-Expose-Headers';

/** How long a browser may keep the answer to a preflight, in seconds; browsers cut it to less. */
const MAX_AGE_SECONDS = 86_400;

/** The request headers that MCP clients send, in lower case. */
const ALLOWED: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-session-id',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'dpop',
]);

/** Parameters of a tool that its schema asks to have mirrored in a header, by any name. */
const TOOL_PARAMETER = /^mcp-param-[\w!#$%&'*+.^`|~-]+$/;

/** An answer to a preflight. @internal */
export interface PreflightResponse {
  readonly status: 204;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * What a response of an MCP endpoint has for a browser page of another origin, rejections included.
 *
 * Answers one origin by name and never "*", and allows no credentials of the browser: a token is put into its header
 * by the page itself. Whether the origin is allowed is not decided here.
 *
 * @param origin - the request's Origin, once it is found to be allowed
 * @see {@link https://fetch.spec.whatwg.org/#http-cors-protocol | Fetch, CORS protocol}
 * @internal
 */
export function corsHeaders(origin: string): Readonly<Record<string, string>> {
  return { [ALLOW_ORIGIN]: origin, Vary: 'Origin', [EXPOSE_HEADERS]: EXPOSED };
}

/** The headers of a response so far. @internal */
export interface ResponseHeaders {
  get(name: string): unknown;
  set(name: string, value: string): void;
}

/**
 * Adds to a response what a page of an allowed origin needs to read the challenge. What a CORS setting of the application
 * has put there stays.
 *
 * @internal
 */
export function completeCors(origin: string, headers: ResponseHeaders): void {
  if (headers.get(ALLOW_ORIGIN) === undefined) headers.set(ALLOW_ORIGIN, origin);
  addTo(headers, 'Vary', 'Origin');
  addTo(headers, EXPOSE_HEADERS, EXPOSED);
}

/** To a list whose first member tells whether the rest is there. */
function addTo(headers: ResponseHeaders, name: string, list: string): void {
  const given = [headers.get(name) ?? []].flat().map(String);
  const present = given
    .join(',')
    .toLowerCase()
    .split(/[\s,]+/);
  const [first = ''] = list.toLowerCase().split(',', 1);
  if (!present.includes(first)) headers.set(name, [...given, list].join(', '));
}

/**
 * What a preflight on an MCP endpoint is answered with; it never needs a token. Allows those of the asked headers that
 * MCP clients send; a browser does not make its request when one that it asked for is missing.
 *
 * @param origin - the request's Origin, once it is found to be allowed
 * @param asked - the request's Access-Control-Request-Headers
 * @see {@link https://fetch.spec.whatwg.org/#cors-preflight-fetch | Fetch, CORS-preflight fetch}
 * @internal
 */
export function preflightResponse(origin: string, asked: string | undefined): PreflightResponse {
  const names = allowedHeaders(asked ?? '');
  return {
    status: 204,
    headers: {
      'Access-Control-Allow-Origin': origin,
      Vary: 'Origin, Access-Control-Request-Headers',
      'Access-Control-Allow-Methods': METHODS,
      ...(names.length > 0 && { 'Access-Control-Allow-Headers': names.join(', ') }),
      'Access-Control-Max-Age': String(MAX_AGE_SECONDS),
    },
  };
}

/** By name, each once: "*" would not stand for Authorization. */
function allowedHeaders(asked: string): string[] {
  const names = asked.split(',').map((name) => name.trim().toLowerCase());
  return [...new Set(names)].filter((name) => ALLOWED.has(name) || TOOL_PARAMETER.test(name));
}
