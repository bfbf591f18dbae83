import { type JWK } from 'jose';

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
  /** @defaultValue 'private_key_jwt' with `privateKey`, 'client_secret_basic' with `clientSecret`, else 'none' */
  readonly authMethod?: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  /** The endpoint's address. @defaultValue the metadata's `introspection_endpoint` */
  readonly endpoint?: string;
  /** Asks for signed answers (RFC 9701) and takes no others. @defaultValue false */
  readonly requireSignedResponse?: boolean;
  /** Refuses an active token without an expiry. @defaultValue false */
  readonly requireExpiry?: boolean;
  /** Time limit for one request. Unit: milliseconds. Range: 100 to 30000. @defaultValue 5000 */
  readonly timeoutMs?: number;
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
  /** The least recently used answers beyond this number are dropped. Range: 1 to 1000000. @defaultValue 10000 */
  readonly maxEntries?: number;
}
