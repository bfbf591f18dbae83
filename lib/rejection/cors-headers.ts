/** The methods that a browser may use on an MCP endpoint. */
const METHODS = 'GET, POST, DELETE';

/** Headers that scripts of another origin may read. Without the challenge, browser clients cannot log in. */
const EXPOSED = 'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, MCP-Protocol-Version';

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin';
const EXPOSE_HEADERS = 'Access-Control-Expose-Headers';

/** How long a browser may cache a preflight response, in seconds. Browsers have lower limits. */
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

/** Headers that mirror parameters of a tool, if its schema asks for that. */
const TOOL_PARAMETER = /^mcp-param-[\w!#$%&'*+.^`|~-]+$/;

/** A response to a preflight. @internal */
export interface PreflightResponse {
  readonly status: 204;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Returns the CORS headers for responses of an MCP endpoint, including rejections.
 *
 * They name one origin and never "*". They do not allow credentials of the browser, because the page itself sets the token
 * header. This function does not check the origin.
 *
 * @param origin - the request's Origin, already checked
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
 * Adds the headers that a page of an allowed origin needs to read the challenge. Headers of the application's own CORS
 * setting stay.
 *
 * @internal
 */
export function completeCors(origin: string, headers: ResponseHeaders): void {
  if (headers.get(ALLOW_ORIGIN) === undefined) headers.set(ALLOW_ORIGIN, origin);
  addTo(headers, 'Vary', 'Origin');
  addTo(headers, EXPOSE_HEADERS, EXPOSED);
}

/** Adds a list to a header, unless the header has the first member of the list already. */
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
 * Returns the response to a preflight on an MCP endpoint, which never needs a token. Of the requested headers, it allows
 * those that MCP clients send. If one is not allowed, the browser does not send its request.
 *
 * @param origin - the request's Origin, already checked
 * @param asked - the request's Access-Control-Request-Headers
 * @param keyHeader - the header of the resource's API keys, in lower case, if it has any
 * @see {@link https://fetch.spec.whatwg.org/#cors-preflight-fetch | Fetch, CORS-preflight fetch}
 * @internal
 */
export function preflightResponse(
  origin: string,
  asked: string | undefined,
  keyHeader?: string,
): PreflightResponse {
  const names = allowedHeaders(asked ?? '', keyHeader);
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

/** Returns the allowed headers by name, each once: "*" does not include Authorization. */
function allowedHeaders(asked: string, keyHeader: string | undefined): string[] {
  const names = asked.split(',').map((name) => name.trim().toLowerCase());
  return [...new Set(names)].filter(
    (name) => ALLOWED.has(name) || TOOL_PARAMETER.test(name) || name === keyHeader,
  );
}
