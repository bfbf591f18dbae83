import { RequestOriginRejectedError } from '../errors/rejection.errors.js';
import { canonicalOrigin, isBrowserHost, parseOrigin, withoutAnyPort } from '../options/origin-rules.js';
import { headerValues, type OriginRequest } from './header-values.js';

/** The allowed origins in canonical form. @internal */
export interface OriginRules {
  readonly allowsAny: boolean;
  readonly exact: ReadonlySet<string>;
  /** Schemes and hosts that are allowed on every port. */
  readonly onEveryPort: ReadonlySet<string>;
}

/** Shared, because most resources allow no origin on every port, and an empty set of each takes memory (row "heap of each"). */
const NONE: ReadonlySet<string> = new Set();

/** Returns the rules for resolved `allowedOrigins`. @internal */
export function originRules(allowed: readonly string[]): OriginRules {
  const onEveryPort = allowed.filter((entry) => entry !== '*' && withoutAnyPort(entry) !== entry);
  return {
    allowsAny: allowed.includes('*'),
    exact: new Set(allowed.filter((entry) => entry !== '*' && !onEveryPort.includes(entry))),
    onEveryPort: onEveryPort.length === 0 ? NONE : new Set(onEveryPort.map(withoutAnyPort)),
  };
}

/**
 * Rejects a request from an origin that is not allowed.
 *
 * A request without `Origin` is allowed, because clients other than browsers send none. Browsers omit it in a GET too, if
 * it is same-origin or the page cannot read the response. Host and token protect those requests.
 *
 * Scheme, host and port are compared, ignoring letter case and a default port. Anything that is not exactly an origin is
 * rejected: `null`, several values, a path, userinfo, other spellings of an address. Linear in the header's length.
 * The token, `Referer`, `Sec-Fetch-Site` and forwarding headers are not read.
 *
 * @returns the origin as sent, for CORS headers; undefined if none was sent
 * @throws {@link RequestOriginRejectedError} `origin`, and nothing else
 * @see {@link https://www.rfc-editor.org/rfc/rfc6454#section-7 | RFC 6454 section 7}
 * @internal
 */
export function assertOrigin(request: OriginRequest, rules: OriginRules): string | undefined {
  const origins = headerValues(request, 'origin');
  const [origin] = origins;
  if (origin === undefined) return undefined;
  if (origins.length > 1 || !isAllowed(origin, rules)) throw new RequestOriginRejectedError('origin');
  return origin;
}

function isAllowed(origin: string, { allowsAny, exact, onEveryPort }: OriginRules): boolean {
  if (exact.has(origin)) return true;
  const parts = parseOrigin(origin);
  if (!parts) return false;
  return (
    exact.has(canonicalOrigin(parts)) ||
    onEveryPort.has(canonicalOrigin({ ...parts, port: '' })) ||
    (allowsAny && isBrowserHost(parts.host))
  );
}
