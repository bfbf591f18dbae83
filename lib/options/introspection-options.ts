import { types } from 'node:util';
import { Transform } from 'class-transformer';
import type { JWK } from 'jose';
import { REQUEST_TIMEOUT_MS } from '../mcp-auth.constants.js';
import { Check, CheckOptional, CheckOptionalObject } from './check.decorator.js';
import {
  isBoolean,
  isOneOf,
  isPlainObject,
  isString,
  isText,
  isWholeNumber,
  type Problem,
} from './value-rules.js';
import { urlProblem } from './url-rules.js';

/**
 * How a request for introspection proves who asks: by one of the methods of OAuth clients, by an access token (`bearer`),
 * or not at all.
 *
 * @publicApi
 */
export type IntrospectionAuthMethod =
  'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'bearer' | 'none';

const isSecret: Problem = (value) =>
  typeof value === 'function' || (typeof value === 'string' && value !== '')
    ? undefined
    : 'must be a non-empty string or a function that gives one';

/** As it stands in a header; RFC 6750 section 2.1. */
const isBearerToken: Problem = (value) =>
  typeof value === 'function' || (typeof value === 'string' && /^[\w.~+/-]+=*$/.test(value))
    ? undefined
    : 'must be a bearer token or a function that gives one';

/** With these flags each test begins where the one before ended. */
const isStatelessRegExp: Problem = (value) =>
  types.isRegExp(value) && !value.global && !value.sticky
    ? undefined
    : 'must be a RegExp without the flags "g" and "y"';

/** How long answers about tokens are kept. @publicApi */
export class IntrospectionCacheOptions {
  /** For active tokens, and never past their expiry. Unit: seconds. Range: 1 to 60. @defaultValue 30 */
  @CheckOptional(isWholeNumber(1, 60, 'seconds')) readonly maxAgeSeconds?: number = 30;
  /** For tokens that are not active. Unit: seconds. Range: 0 to 10. @defaultValue 5 */
  @CheckOptional(isWholeNumber(0, 10, 'seconds')) readonly negativeMaxAgeSeconds?: number = 5;
  /**
   * The least recently used answers beyond this number are dropped. Counted for active tokens and for others apart, so that
   * random tokens push out no answer about an active one. Range: 1 to 1000000.
   *
   * @defaultValue 10000
   */
  @CheckOptional(isWholeNumber(1, 1_000_000, 'entries')) readonly maxEntries?: number = 10_000;
}

/**
 * How an authorization server is asked about tokens.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662 | RFC 7662}
 * @publicApi
 */
export class IntrospectionOptions {
  /** The client that this resource is at the authorization server. */
  @Check(isText) readonly clientId!: string;
  /** Its secret, or a function that gives it, for the two `client_secret` methods. Never logged. */
  @CheckOptional(isSecret) readonly clientSecret?: string | (() => string | Promise<string>);
  /** Its private key for `private_key_jwt`: a JWK with `kid` and `alg`. Never logged. */
  @CheckOptional(isPlainObject) readonly privateKey?: JWK;
  /**
   * For `bearer`: an access token of this resource's own, with which it may ask about others, or a function that gives
   * it. The function is called for every request, as such a token expires: let it keep the token while it is good.
   * Never logged.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.1 | RFC 7662 section 2.1}
   */
  @CheckOptional(isBearerToken) readonly bearerToken?: string | (() => string | Promise<string>);
  /**
   * How requests prove who asks. `client_secret_basic` percent-encodes id and secret, as RFC 6749 section 2.3.1 says. For
   * a server that does not decode them, choose `client_secret_post`.
   *
   * @defaultValue 'private_key_jwt' with `privateKey`, 'bearer' with `bearerToken`, 'client_secret_basic' with
   * `clientSecret`, else 'none'
   */
  @CheckOptional(isOneOf('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'bearer', 'none'))
  readonly authMethod?: IntrospectionAuthMethod;
  /** The endpoint's address. @defaultValue the metadata's `introspection_endpoint` */
  @CheckOptional(isString(urlProblem)) readonly endpoint?: string;
  /** Asks for signed answers (RFC 9701) and takes no others. @defaultValue false */
  @CheckOptional(isBoolean) readonly requireSignedResponse?: boolean = false;
  /** Rejects an active token without an expiry. @defaultValue false */
  @CheckOptional(isBoolean) readonly requireExpiry?: boolean = false;
  /**
   * Takes an active token about whose audience the server says nothing; one for another audience is rejected all the same.
   * Only for a server that calls a token active to nobody but the resource it is for: of any other server, a token for
   * whatever service opens this resource. Warns at each start.
   *
   * @defaultValue false
   * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-4 | RFC 7662 section 4}
   */
  @CheckOptional(isBoolean) readonly trustAnswerWithoutAudience?: boolean = false;
  /**
   * Time limit for one request, the wait for its turn included. Unit: milliseconds. Range: 100 to 30000.
   *
   * @defaultValue 5000
   */
  @CheckOptional(isWholeNumber(100, 30_000, 'milliseconds')) readonly timeoutMs?: number = REQUEST_TIMEOUT_MS;
  /**
   * How many requests, and so connections, the server gets at once. Further ones wait for their turn within their time
   * limit, and are 503 after it. For each server of each resource. Range: 1 to 10000.
   *
   * @defaultValue 100
   */
  @CheckOptional(isWholeNumber(1, 10_000, 'requests')) readonly maxConcurrentRequests?: number = 100;
  /**
   * How many requests wait for their turn. Further ones are 503 at once, with `Retry-After`. Each that waits holds its
   * token in memory. Range: 0 to 100000.
   *
   * @defaultValue 1000
   */
  @CheckOptional(isWholeNumber(0, 100_000, 'requests')) readonly maxQueuedRequests?: number = 1000;
  /**
   * The form of this server's opaque tokens. A token of another form is 401, and the server is not asked about it, so random
   * tokens cost next to nothing. Tested as written: begin it with `^` and end it with `$`. Without the flags `g` and `y`.
   * In mode `introspection` it holds for JWTs too; in mode `auto` they are verified by keys.
   *
   * Strangers choose the tokens, of up to `maxTokenLength` characters: write no pattern that takes exponential time, such
   * as one with a repetition within a repetition.
   *
   * @defaultValue any form
   */
  // As given: objects are copied, and the copy of a RegExp would be an empty one.
  @Transform(({ obj }: { obj: IntrospectionOptions }) => obj.opaqueTokenPattern)
  @CheckOptional(isStatelessRegExp)
  readonly opaqueTokenPattern?: RegExp;
  /**
   * Keeps answers, so that a revoked token may pass until its answer is too old. @defaultValue none are kept
   */
  @CheckOptionalObject(() => IntrospectionCacheOptions) readonly cache?: IntrospectionCacheOptions;
}
