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
 * How an introspection request authenticates. With one of the methods of OAuth clients, with an access token (`bearer`), or
 * not at all.
 *
 * @publicApi
 */
export type IntrospectionAuthMethod =
  'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'bearer' | 'none';

/** Text, or a function that returns it. Messages contain no secret. @internal */
export const isSecret: Problem = (value) =>
  typeof value === 'function' || (typeof value === 'string' && value !== '')
    ? undefined
    : 'must be a non-empty string or a function that gives one';

/** As in a header; RFC 6750 section 2.1. */
const isBearerToken: Problem = (value) =>
  typeof value === 'function' || (typeof value === 'string' && /^[\w.~+/-]+=*$/.test(value))
    ? undefined
    : 'must be a bearer token or a function that gives one';

/** With these flags each test begins at the end of the previous match. */
const isStatelessRegExp: Problem = (value) =>
  types.isRegExp(value) && !value.global && !value.sticky
    ? undefined
    : 'must be a RegExp without the flags "g" and "y"';

/** How long introspection responses are cached. @publicApi */
export class IntrospectionCacheOptions {
  /** For active tokens, and never past their expiry. Unit: seconds. Range: 1 to 60. @defaultValue 30 */
  @CheckOptional(isWholeNumber(1, 60, 'seconds')) readonly maxAgeSeconds?: number = 30;
  /** For tokens that are not active. Unit: seconds. Range: 0 to 10. @defaultValue 5 */
  @CheckOptional(isWholeNumber(0, 10, 'seconds')) readonly negativeMaxAgeSeconds?: number = 5;
  /**
   * The least recently used responses beyond this number are evicted. Active tokens and others are counted separately, so
   * random tokens evict no response about an active one. Range: 1 to 1000000.
   *
   * @defaultValue 10000
   */
  @CheckOptional(isWholeNumber(1, 1_000_000, 'entries')) readonly maxEntries?: number = 10_000;
}

/**
 * How tokens are introspected at an authorization server.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662 | RFC 7662}
 * @publicApi
 */
export class IntrospectionOptions {
  /** The client id of this resource at the authorization server. */
  @Check(isText) readonly clientId!: string;
  /** Its secret, or a function that returns it, for the two `client_secret` methods. Never logged. */
  @CheckOptional(isSecret) readonly clientSecret?: string | (() => string | Promise<string>);
  /** Its private key for `private_key_jwt`: a JWK with `kid` and `alg`. Never logged. */
  @CheckOptional(isPlainObject) readonly privateKey?: JWK;
  /**
   * For `bearer`: an access token of this resource that authorizes introspection, or a function that returns it. Such a token
   * expires, so the function is called for every request: it should cache the token while that is valid. Never logged.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.1 | RFC 7662 section 2.1}
   */
  @CheckOptional(isBearerToken) readonly bearerToken?: string | (() => string | Promise<string>);
  /**
   * How requests authenticate. `client_secret_basic` percent-encodes id and secret, as RFC 6749 section 2.3.1 says. For a
   * server that does not decode them, choose `client_secret_post`.
   *
   * @defaultValue 'private_key_jwt' with `privateKey`, 'bearer' with `bearerToken`, 'client_secret_basic' with
   * `clientSecret`, else 'none'
   */
  @CheckOptional(isOneOf('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'bearer', 'none'))
  readonly authMethod?: IntrospectionAuthMethod;
  /** The endpoint's address. @defaultValue the metadata's `introspection_endpoint` */
  @CheckOptional(isString(urlProblem)) readonly endpoint?: string;
  /** Requests signed responses (RFC 9701) and accepts no others. @defaultValue false */
  @CheckOptional(isBoolean) readonly requireSignedResponse?: boolean = false;
  /** Rejects an active token without an expiry. @defaultValue false */
  @CheckOptional(isBoolean) readonly requireExpiry?: boolean = false;
  /**
   * Accepts an active token if the server does not name its audience. A token for another audience is still rejected. Use it
   * only for a server that calls a token active only to the resource that it is for. With any other server, a token for any
   * service opens this resource. Warns at each start.
   *
   * @defaultValue false
   * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-4 | RFC 7662 section 4}
   */
  @CheckOptional(isBoolean) readonly trustAnswerWithoutAudience?: boolean = false;
  /**
   * Time limit for one request, including its wait in the queue. Unit: milliseconds. Range: 100 to 30000.
   *
   * @defaultValue 5000
   */
  @CheckOptional(isWholeNumber(100, 30_000, 'milliseconds')) readonly timeoutMs?: number = REQUEST_TIMEOUT_MS;
  /**
   * The maximum number of concurrent requests, and so connections, to the server. Further requests wait in a queue within
   * their time limit, and are answered with 503 after it. For each server of each resource. Range: 1 to 10000.
   *
   * @defaultValue 100
   */
  @CheckOptional(isWholeNumber(1, 10_000, 'requests')) readonly maxConcurrentRequests?: number = 100;
  /**
   * The maximum length of the queue. Further requests are answered with 503 at once, with `Retry-After`. Each queued request
   * holds its token in memory. Range: 0 to 100000.
   *
   * @defaultValue 1000
   */
  @CheckOptional(isWholeNumber(0, 100_000, 'requests')) readonly maxQueuedRequests?: number = 1000;
  /**
   * The form of this server's opaque tokens. A token of another form is rejected with 401 without introspection, so random
   * tokens cost next to nothing. The pattern is tested as written: begin it with `^` and end it with `$`. It must not have the
   * flags `g` and `y`. In mode `introspection` it also applies to JWTs; in mode `auto` JWTs are verified by keys.
   *
   * Attackers choose the tokens, of up to `maxTokenLength` characters. Do not write a pattern that takes exponential time,
   * such as one with a repetition within a repetition.
   *
   * @defaultValue any form
   */
  // The original: options are copied, and the copy of a RegExp would be an empty object.
  @Transform(({ obj }: { obj: IntrospectionOptions }) => obj.opaqueTokenPattern)
  @CheckOptional(isStatelessRegExp)
  readonly opaqueTokenPattern?: RegExp;
  /**
   * Caches responses, so a revoked token may pass until its response expires. @defaultValue none are cached
   */
  @CheckOptionalObject(() => IntrospectionCacheOptions) readonly cache?: IntrospectionCacheOptions;
}
