import type { JWK } from 'jose';
import { REQUEST_TIMEOUT_MS } from '../mcp-auth.constants.js';
import { Check, CheckOptional } from './check.decorator.js';
import { isSecret } from './introspection-options.js';
import { isOneOf, isPlainObject, isText, isWholeNumber } from './value-rules.js';

/**
 * How a request to the token endpoint authenticates its client. `none` sends only the client id, for a server that
 * authenticates the client by the TLS certificate of the option `fetch`.
 *
 * @publicApi
 */
export type TokenExchangeAuthMethod =
  'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';

/**
 * How `DownstreamTokens` exchanges access tokens at an authorization server. Requests have the limits of introspection: no
 * redirects, answers of 64 KiB at most, 100 requests at once for each resource, and 1000 that wait for their turn.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693 | RFC 8693}
 * @publicApi
 */
export class TokenExchangeOptions {
  /** The client id of this resource at the authorization server. The server must allow this client to exchange tokens. */
  @Check(isText) readonly clientId!: string;
  /** Its secret, or a function that returns it, for the two `client_secret` methods. Never logged. */
  @CheckOptional(isSecret) readonly clientSecret?: string | (() => string | Promise<string>);
  /** Its private key for `private_key_jwt`: a JWK with `kid` and `alg`. Never logged. */
  @CheckOptional(isPlainObject) readonly privateKey?: JWK;
  /**
   * How requests authenticate. `client_secret_basic` percent-encodes id and secret, as RFC 6749 section 2.3.1 says. For a
   * server that does not decode them, choose `client_secret_post`.
   *
   * @defaultValue 'private_key_jwt' with `privateKey`, else 'client_secret_basic'
   */
  @CheckOptional(isOneOf('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'))
  readonly authMethod?: TokenExchangeAuthMethod;
  /**
   * What the server understands. `standard` is token exchange of RFC 8693. `entra-on-behalf-of` is the on-behalf-of flow of
   * Microsoft Entra ID: there the scopes name the resource.
   *
   * @defaultValue 'standard'
   * @see {@link https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow | Microsoft, on-behalf-of flow}
   */
  @CheckOptional(isOneOf('standard', 'entra-on-behalf-of'))
  readonly preset?: 'standard' | 'entra-on-behalf-of' = 'standard';
  /**
   * Time limit for one request, including its wait in the queue. Unit: milliseconds. Range: 100 to 30000.
   *
   * @defaultValue 5000
   */
  @CheckOptional(isWholeNumber(100, 30_000, 'milliseconds')) readonly timeoutMs?: number = REQUEST_TIMEOUT_MS;
  /**
   * The most tokens that are cached for the callers of this resource. The least recently used ones beyond this number are
   * evicted. 0 caches none. A token is cached until 30 seconds before it or the caller's own token expires, one hour at most, and
   * not at all if the server does not say when it expires. Range: 0 to 1000000.
   *
   * @defaultValue 10000
   */
  @CheckOptional(isWholeNumber(0, 1_000_000, 'tokens')) readonly maxCachedTokens?: number = 10_000;
}
