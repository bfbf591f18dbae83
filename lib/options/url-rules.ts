/**
 * Tells whether a host name, as the URL parser prints it, is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
 *
 * Checks the parsed name only and resolves nothing, so `localhost.example` and a name that happens to resolve to 127.0.0.1 are
 * not loopback.
 *
 * @internal
 */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

const PRINTABLE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Returns what is wrong with a URL that is configured or that a document names, or undefined if it is valid.
 *
 * Valid is: absolute, https (http on loopback), without userinfo and fragment, printable ASCII without quotes and backslashes,
 * so that a header can contain it as it is.
 *
 * @internal
 */
export function urlProblem(value: string): string | undefined {
  if (!PRINTABLE.test(value)) return 'has a character that a URL may not have; percent-encode it';
  const url = parseUrl(value);
  if (!url) return 'is not an absolute URL; write it in full, such as https://api.example.com/mcp';
  // As written: the parser does not distinguish an empty user name ("https://@host") from none.
  if (splitUrl(value).origin.includes('@')) return 'has a user name or password; leave them out';
  if (value.includes('#')) return 'has a fragment; leave out "#" and what follows';
  return schemeProblem(url);
}

/**
 * Like {@link urlProblem}, for identifiers: a resource or an issuer. They have no query either.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 | RFC 8414 section 2}
 * @internal
 */
export function identifierProblem(value: string): string | undefined {
  const problem = urlProblem(value);
  if (problem !== undefined) return problem;
  if (value.includes('?')) return 'has a query; leave out "?" and what follows';
  // The parser treats "%2e" as a dot too.
  if (/\/(\.|%2e){1,2}(\/|$)/i.test(value))
    return 'has a "." or ".." path segment; write the path it stands for';
  return undefined;
}

function schemeProblem(url: URL): string | undefined {
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return `has the scheme "${url.protocol}"; use https`;
  return isLoopbackHost(url.hostname) ? undefined : 'uses http for another machine; use https';
}

/** @internal */
export function parseUrl(value: string): URL | undefined {
  // A URL needs its "//": the parser would accept "https:api.example.com".
  return /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(value) ? urlOf(value) : undefined;
}

/**
 * Parses a URL; returns undefined if the text is not one.
 *
 * Does not use `URL.canParse()`: on Node 20, that returns false for every host with a character from U+0080 to U+00FF once it
 * has been compiled, which is after some thousand calls.
 *
 * @internal
 */
export function urlOf(value: string): URL | undefined {
  try {
    return new URL(value);
  } catch {
    return undefined;
  }
}

/** A URL split into its parts as written: nothing is decoded, resolved or normalised. @internal */
export interface RawUrl {
  /** Scheme, `//` and authority. */
  readonly origin: string;
  /** Everything between the authority and a query; empty or beginning with `/`. */
  readonly path: string;
}

/** @internal */
export function splitUrl(value: string): RawUrl {
  const [, origin = '', path = ''] = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)([^?#]*)/i.exec(value) ?? [];
  return { origin, path };
}

/**
 * Returns the form in which resources and audiences are compared.
 *
 * Scheme and host in lower case, without default port and without one trailing slash; the path does not change. A text that is
 * not an http(s) URL does not change.
 *
 * @internal
 */
export function canonicalResource(value: string): string {
  const match = /^(https?):\/\/([^/?#]*)(.*)$/is.exec(value);
  if (!match) return value;
  const [, scheme = '', authority = '', rest = ''] = match;
  const protocol = asciiLowerCase(scheme);
  const host = asciiLowerCase(authority).replace(protocol === 'https' ? /:443$/ : /:80$/, '');
  return `${protocol}://${host}${rest.endsWith('/') ? rest.slice(0, -1) : rest}`;
}

/** Unlike `toLowerCase`, which turns the Kelvin sign into a k. */
function asciiLowerCase(value: string): string {
  return value.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
