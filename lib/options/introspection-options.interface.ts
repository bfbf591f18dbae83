import { type JWK } from 'jose';

/**
 * How a request for introspection proves who asks: by one of the methods of OAuth clients, by an access token (`bearer`),
 * or not at all.
 *
 * @publicApi
 */
export type IntrospectionAuthMethod =
  'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'bearer' | 'none';

/**
 * How an authorization server is asked about tokens.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662 | RFC 7662}
 * @publicApi
 */
export interface IntrospectionOptions {
  /** The client that this resource is at the authorization server. */
  readonly clientId: string;
  /** Its secret, or a function that gives it, for the two `client_secret` methods. Never logged. */
  readonly clientSecret?: string | (() => string | Promise<string>);
  /** Its private key for `private_key_jwt`: a JWK with `kid` and `alg`. Never logged. */
  readonly privateKey?: JWK;
  /**
   * For `bearer`: an access token of this resource's own, with which it may ask about others, or a function that gives
   * it. The function is called for every request, as such a token expires: let it keep the token while it is good.
   * Never logged.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.1 | RFC 7662 section 2.1}
   */
  readonly bearerToken?: string | (() => string | Promise<string>);
  /**
   * How requests prove who asks. `client_secret_basic` percent-encodes id and secret, as RFC 6749 section 2.3.1 says. For
   * a server that does not decode them, choose `client_secret_post`.
   *
   * @defaultValue 'private_key_jwt' with `privateKey`, 'bearer' with `bearerToken`, 'client_secret_basic' with
   * `clientSecret`, else 'none'
   */
  readonly authMethod?: IntrospectionAuthMethod;
  /** The endpoint's address. @defaultValue the metadata's `introspection_endpoint` */
  readonly endpoint?: string;
  /** Asks for signed answers (RFC 9701) and takes no others. @defaultValue false */
  readonly requireSignedResponse?: boolean;
  /** Refuses an active token without an expiry. @defaultValue false */
  readonly requireExpiry?: boolean;
  /**
   * Takes an active token about whose audience the server says nothing; one for another audience is refused all the same.
   * Only for a server that calls a token active to nobody but the resource it is for: of any other server, a token for
   * whatever service opens this resource. Warns at each start.
   *
   * @defaultValue false
   * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-4 | RFC 7662 section 4}
   */
  readonly trustAnswerWithoutAudience?: boolean;
  /**
   * Time limit for one request, the wait for its turn included. Unit: milliseconds. Range: 100 to 30000.
   *
   * @defaultValue 5000
   */
  readonly timeoutMs?: number;
  /**
   * How many requests, and so connections, the server gets at once. Further ones wait for their turn within their time
   * limit, and are 503 after it. For each server of each resource. Range: 1 to 10000.
   *
   * @defaultValue 100
   */
  readonly maxConcurrentRequests?: number;
  /**
   * How many requests wait for their turn. Further ones are 503 at once, with `Retry-After`. Each that waits holds its
   * token in memory. Range: 0 to 100000.
   *
   * @defaultValue 1000
   */
  readonly maxQueuedRequests?: number;
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
  readonly opaqueTokenPattern?: RegExp;
  /**
   * Keeps answers, so that a revoked token may pass until its answer is too old. @defaultValue none are kept
   */
  readonly cache?: IntrospectionCacheOptions;
}

/** How long answers about tokens are kept. @publicApi */
export interface IntrospectionCacheOptions {
  /** For active tokens, and never past their expiry. Unit: seconds. Range: 1 to 60. @defaultValue 30 */
  readonly maxAgeSeconds?: number;
  /** For tokens that are not active. Unit: seconds. Range: 0 to 10. @defaultValue 5 */
  readonly negativeMaxAgeSeconds?: number;
  /**
   * The least recently used answers beyond this number are dropped. Counted for active tokens and for others apart, so that
   * random tokens push out no answer about an active one. Range: 1 to 1000000.
   *
   * @defaultValue 10000
   */
  readonly maxEntries?: number;
}
