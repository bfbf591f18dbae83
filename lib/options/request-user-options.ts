import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { CheckOptional } from './check.decorator.js';
import type { TokenClaims } from './token.verifier.js';
import { isFunction, isString, type Problem } from './value-rules.js';

/** The caller that {@link RequestUserOptions.toUser} gets: members of `AuthInfo`, without the token. @publicApi */
export interface VerifiedCaller {
  /** Empty if the token does not name a client. */
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Unit: seconds since the epoch. */
  readonly expiresAt?: number;
  /** The protected resource of this request. */
  readonly resource: URL;
  /** The tenant in the path of the request; undefined if the resource has no `tenants`. */
  readonly tenant: string | undefined;
  readonly issuer: string;
  /** Unique only together with `issuer`; undefined for a client on its own behalf. */
  readonly subject: string | undefined;
  readonly isClientPrincipal: boolean;
  readonly audience: readonly string[];
  /** Frozen. */
  readonly claims: TokenClaims;
}

/** What Express, Fastify and HTTP/2 requests have, in addition to what Node's HTTP/1 requests have. */
const OF_PLATFORMS: ReadonlySet<string> = new Set(
  (
    'accepts acceptsCharsets acceptsEncodings acceptsLanguages app authority baseUrl body ' +
    'compileValidationSchema context cookies file files fresh get getDecorator getValidationFunction ' +
    'header host hostname id ip ips is is404 log mediaType next originalUrl params path port protocol ' +
    'query range raw res route routeOptions scheme secret secure server session setDecorator signal ' +
    'signedCookies stale stream subdomains validateInput validationError xhr'
  ).split(' '),
);

const NAME = /^[A-Za-z][A-Za-z0-9]*$/;

const propertyProblem: Problem = isString((name) => {
  if (!NAME.test(name)) return 'must be a name of letters and digits';
  if (name === 'auth') return 'must not be "auth", which has the AuthInfo';
  const isTaken = OF_PLATFORMS.has(name) || name in new IncomingMessage(new Socket());
  return isTaken ? 'must not be a property that requests have anyway' : undefined;
});

/** How the caller is stored on requests for code that reads `req.user`. @publicApi */
export class RequestUserOptions {
  /**
   * The property of the request. Letters and digits; not `auth`, and no property that requests of Node, Express or Fastify
   * have. If other code defines it so that it cannot be written, the request is answered with 500.
   *
   * @defaultValue 'user'
   */
  @CheckOptional(propertyProblem) readonly property?: string = 'user';

  /**
   * Returns the value of the property. Called once for each request with a valid token, before scopes are checked. It is
   * synchronous: if it throws or returns a promise, the request is answered with 500.
   *
   * @defaultValue a new object for each request: all claims of the token, `scopes` as a list and `scope` as text
   */
  @CheckOptional(isFunction) readonly toUser?: (caller: VerifiedCaller) => unknown;
}
