import { isListOf, isString, type Problem } from './value-rules.js';
import { splitUrl, urlOf } from './url-rules.js';

/** An `Origin` or a `Host` in its parts, in lower case. @internal */
export interface OriginParts {
  /** Empty for a `Host`. */
  readonly scheme: string;
  readonly host: string;
  /** Empty if none is written, or if it is the scheme's default. */
  readonly port: string;
}

/** The longest host name that DNS has, in characters. */
const MAX_HOST_LENGTH = 253;

const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
]);

/**
 * Parses an `Origin`, or returns undefined if it is not exactly `scheme://host` or `scheme://host:port`.
 *
 * Linear in the length, and with its own grammar: a URL parser accepts paths, userinfo, backslashes and line breaks. It does
 * not check that the host is spelled as browsers spell it; {@link isBrowserHost} does that.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6454#section-6.2 | RFC 6454 section 6.2}
 * @internal
 */
export function parseOrigin(value: string): OriginParts | undefined {
  const match = /^([a-z][a-z\d+.-]*):\/\/(\[[\da-f:.]+\]|[\w.-]+)(?::(\d+))?$/i.exec(value);
  if (!match) return undefined;
  const parts = partsOf(match[1] ?? '', match[2] ?? '', match[3]);
  if (!parts) return undefined;
  return parts.port === DEFAULT_PORTS.get(parts.scheme) ? { ...parts, port: '' } : parts;
}

/**
 * Parses a `Host`, or returns undefined if it is not exactly `host` or `host:port`. Like {@link parseOrigin}, but without a
 * scheme no port is the default.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-7.2 | RFC 9110 section 7.2}
 * @internal
 */
export function parseHost(value: string): OriginParts | undefined {
  const match = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d+))?$/i.exec(value);
  return match ? partsOf('', match[1] ?? '', match[2]) : undefined;
}

function partsOf(scheme: string, host: string, port: string | undefined): OriginParts | undefined {
  if (port !== undefined && (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535)) return undefined;
  return { scheme: scheme.toLowerCase(), host: host.toLowerCase(), port: port ?? '' };
}

/** Returns the form in which origins, hosts and configured values are compared. @internal */
export function canonicalOrigin({ scheme, host, port }: OriginParts): string {
  return `${scheme === '' ? '' : `${scheme}://`}${host}${port === '' ? '' : `:${port}`}`;
}

/**
 * Tells whether a host is spelled as browsers send it: `127.0.0.1` and not `127.1`, `[::1]` and not `[0::1]`, names in
 * punycode. Takes the result of {@link parseOrigin}; nothing is resolved.
 *
 * @internal
 */
export function isBrowserHost(host: string): boolean {
  const url = `http://${host}`;
  return host.length <= MAX_HOST_LENGTH && urlOf(url)?.hostname === host;
}

/** Returns what is wrong with one allowed origin, or undefined if it is valid. @internal */
export function originProblem(value: string): string | undefined {
  return value === '*' ? undefined : (outlineProblem(value) ?? authorityProblem(value));
}

function outlineProblem(value: string): string | undefined {
  if (value === 'null')
    return 'is what browsers send for files and sandboxed frames of anybody; it cannot be allowed';
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(value))
    return 'has no scheme; write it such as https://app.example.com';
  const { origin } = splitUrl(value);
  if (origin.includes('@')) return 'has a user name or password; leave them out';
  if (value === `${origin}/`) return 'has a slash at the end; leave it out';
  return value === origin ? undefined : 'has a path, query or fragment; leave out what follows host and port';
}

function authorityProblem(value: string): string | undefined {
  const fixed = withoutAnyPort(value);
  if (fixed.includes('*'))
    return 'has "*" in it; list each origin, with ":*" for every port, or "*" alone for any origin';
  const parts = parseOrigin(fixed);
  if (parts && isBrowserHost(parts.host)) return undefined;
  return (
    spelledByBrowsers(fixed, ({ origin: sent }) => sent + value.slice(fixed.length)) ??
    'has a host or port that cannot be; write it such as https://app.example.com:8443'
  );
}

/** Returns what is wrong with one allowed host, or undefined if it is valid. @internal */
export function hostProblem(value: string): string | undefined {
  if (value.includes('://')) return 'has a scheme; write the host alone, such as api.example.com';
  if (value.includes('@')) return 'has a user name or password; leave them out';
  if (/[/?#\\]/.test(value)) return 'has a path, query or fragment; write the host alone';
  if (value.endsWith(':*')) return 'has ":*" at the end; leave it out, a host alone is allowed on every port';
  if (value.includes('*')) return 'has "*" in it; list each host';
  const parts = parseHost(value);
  if (parts && isBrowserHost(parts.host)) return undefined;
  return (
    spelledByBrowsers(`http://${value}`, ({ host }) => host) ??
    'is no host; write it such as api.example.com, api.example.com:8443 or [::1]'
  );
}

/** Returns the advice to write what browsers send for a URL, if that is allowed. */
function spelledByBrowsers(url: string, part: (parsed: URL) => string): string | undefined {
  const parsed = urlOf(url);
  const sent = parsed ? part(parsed) : '';
  const parts = parseOrigin(withoutAnyPort(sent)) ?? parseHost(sent);
  return parts && isBrowserHost(parts.host) ? `is sent by browsers as ${sent}; write that` : undefined;
}

/** Returns the part before `:*`. @internal */
export function withoutAnyPort(value: string): string {
  return value.endsWith(':*') ? value.slice(0, -2) : value;
}

const isListOfOrigins = isListOf(isString(originProblem), { nonEmpty: false });

/** @internal */
export const isAllowedOrigins: Problem = (value) => {
  const problem = isListOfOrigins(value);
  if (problem !== undefined) return problem;
  const origins = value as readonly string[];
  return origins.includes('*') && origins.length > 1
    ? 'has "*", which allows any origin, beside others; keep one or the other'
    : undefined;
};

/** @internal */
export const isAllowedHosts: Problem = isListOf(isString(hostProblem), { nonEmpty: false });
