import type { JSONWebKeySet } from 'jose';
import type { AuthorizationServer } from 'oauth4webapi';
import { REQUEST_TIMEOUT_MS } from '../mcp-auth.constants.js';
import { SIGNATURE_ALGORITHMS } from './algorithms.js';
import { CheckOptional, CheckOptionalObject } from './check.decorator.js';
import { USUAL_CLAIM_NAMES } from './claim-names.js';
import { IntrospectionOptions } from './introspection-options.js';
import { OneTimeTokenOptions } from './replay-store-options.js';
import { TokenExchangeOptions } from './token-exchange-options.js';
import { identifierProblem, urlProblem } from './url-rules.js';
import {
  isBoolean,
  isFunction,
  isListOf,
  isNames,
  isOneOf,
  isPlainObject,
  isString,
  isText,
  isWholeNumber,
  type Problem,
} from './value-rules.js';

/**
 * An authorization server's metadata, with the member names of RFC 8414 and OpenID Connect Discovery. Other members are kept.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 | RFC 8414 section 2}
 * @publicApi
 */
export type AuthorizationServerMetadata = AuthorizationServer;

/**
 * The well-known locations of an issuer from which its metadata is fetched.
 *
 * - `oauth`: RFC 8414 only, `https://host/.well-known/oauth-authorization-server/path`
 * - `oidc`: OpenID Connect Discovery only, `https://host/path/.well-known/openid-configuration`
 * - `auto`: the three locations of the MCP specification, in its order
 *
 * @publicApi
 */
export type AuthorizationServerType = 'auto' | 'oauth' | 'oidc';

/**
 * Changes a metadata document before it is checked, to repair a server's mistakes. Gets a copy. Its result is checked like any
 * document, the issuer included. If it throws, discovery of this server fails.
 *
 * @publicApi
 */
export type TranspileData = (
  data: Record<string, unknown>,
) => Record<string, unknown> | Promise<Record<string, unknown>>;

const isJwks: Problem = (value) =>
  typeof value === 'function' ||
  (isPlainObject(value) === undefined && Array.isArray((value as { keys?: unknown }).keys))
    ? undefined
    : 'must be a JWK Set, an object with a list "keys", or a function that gives one';

const isNamesOrFunction: Problem = (value) => (typeof value === 'function' ? undefined : isNames(value));

const isHeaders: Problem = (value) =>
  isPlainObject(value) ??
  (Object.values(value as object).every((header) => typeof header === 'string')
    ? undefined
    : 'must have strings for values');

/** How a remote key set is fetched and cached. @publicApi */
export class RemoteJwkSetOptions {
  /** Time limit for one fetch. Unit: milliseconds. Range: 100 to 30000. @defaultValue 5000 */
  @CheckOptional(isWholeNumber(100, 30_000, 'milliseconds')) readonly timeoutMs?: number = REQUEST_TIMEOUT_MS;
  /**
   * The minimum time after a fetch of the keys before a token triggers another one. Such a token has an unknown key id, or a
   * signature that fails. Unit: seconds. Range: 1 to 3600. @defaultValue 30
   */
  @CheckOptional(isWholeNumber(1, 3600, 'seconds')) readonly cooldownSeconds?: number = 30;
  /** Older keys are fetched again. Unit: seconds. Range: 1 to 86400. @defaultValue 600 */
  @CheckOptional(isWholeNumber(1, 86_400, 'seconds')) readonly cacheMaxAgeSeconds?: number = 600;
  /**
   * If keys cannot be fetched again, the old ones are used until they are this old. Unit: seconds. Range: 1 to 86400.
   * @defaultValue 3600
   */
  @CheckOptional(isWholeNumber(1, 86_400, 'seconds')) readonly staleMaxAgeSeconds?: number = 3600;
  /** Sent with each fetch. @defaultValue none */
  @CheckOptional(isHeaders) readonly headers?: Readonly<Record<string, string>> = {};
}

/**
 * The claims that name client and scopes, for an authorization server with claim names of its own. Without it, and for each
 * member that is left out, the names are those of RFC 9068 and of servers in wide use.
 *
 * @publicApi
 */
export class ClaimNames {
  /**
   * The claims that may name the client. The first one that is a non-empty text is used.
   *
   * @defaultValue `client_id`, `azp`, `cid`, `appid`
   */
  @CheckOptional(isNames) readonly clientId?: string | readonly string[] = USUAL_CLAIM_NAMES.clientId;

  /**
   * The claims that may list the scopes: a text that is split at spaces, or a list. Only the first claim that is present is
   * used. A function returns the scopes from all claims instead, after these are verified. If it throws, or returns no list,
   * the answer is 500. No other claim is ever used for scopes.
   *
   * @defaultValue `scope`, `scp`, `scopes`
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3 | RFC 9068 section 2.2.3}
   */
  @CheckOptional(isNamesOrFunction)
  readonly scopes?:
    string | readonly string[] | ((claims: Readonly<Record<string, unknown>>) => readonly string[]) =
    USUAL_CLAIM_NAMES.scopes;
}

/**
 * Options of an authorization server that do not depend on how its metadata is found.
 *
 * @publicApi
 */
export class AuthorizationServerBaseOptions {
  /** Repairs the metadata before it is checked; may be async. @defaultValue none */
  @CheckOptional(isFunction) readonly transpileData?: TranspileData;

  /**
   * The server's public keys, or a function that returns them. With them, `jwks_uri` is not needed and not fetched. A function
   * is called when keys are needed. Its result is cached as long as a fetched key set.
   *
   * @defaultValue fetched from the metadata's `jwks_uri`
   * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-5 | RFC 7517 section 5}
   */
  @CheckOptional(isJwks) readonly jwks?: JSONWebKeySet | (() => JSONWebKeySet | Promise<JSONWebKeySet>);

  /** How its key set is fetched and cached. @defaultValue see {@link RemoteJwkSetOptions} */
  @CheckOptionalObject(() => RemoteJwkSetOptions)
  readonly remoteJwkSet?: RemoteJwkSetOptions = new RemoteJwkSetOptions();

  /**
   * How its tokens are verified: `jwt` by its keys, `introspection` by introspection, `auto` by the form of the token. A JWT
   * that fails is never introspected.
   *
   * @defaultValue 'auto' with `introspection`, else 'jwt'
   */
  @CheckOptional(isOneOf('jwt', 'introspection', 'auto')) readonly mode?: 'jwt' | 'introspection' | 'auto';

  /** How tokens are introspected at the server. @defaultValue none: opaque tokens are rejected */
  @CheckOptionalObject(() => IntrospectionOptions) readonly introspection?: IntrospectionOptions;

  /**
   * How tokens of this server are exchanged for tokens that open other services, by `DownstreamTokens`.
   *
   * @defaultValue none: `DownstreamTokens` throws for callers of this server
   * @see {@link https://www.rfc-editor.org/rfc/rfc8693 | RFC 8693}
   */
  @CheckOptionalObject(() => TokenExchangeOptions) readonly tokenExchange?: TokenExchangeOptions;

  /**
   * JWS algorithms accepted from this server. Asymmetric ones only.
   *
   * @defaultValue RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519
   * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3.1 | RFC 8725 section 3.1}
   */
  @CheckOptional(isListOf(isOneOf(...SIGNATURE_ALGORITHMS), { nonEmpty: true }))
  readonly algorithms?: readonly string[] = SIGNATURE_ALGORITHMS;

  /**
   * Which kinds of JWT are accepted. `lenient` accepts tokens of servers that do not follow RFC 9068: without `typ` or with
   * the type `JWT`, and with the claims that every token needs. `rfc9068` accepts only the type `at+jwt` and requires `iss`,
   * `exp`, `aud`, `sub`, `client_id`, `iat` and `jti`. Both reject other kinds of token. Opaque tokens have no profile, so
   * `rfc9068` cannot be combined with the mode `introspection`. A `verifier` of the application ignores the profile.
   *
   * @defaultValue 'lenient'
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2 | RFC 9068 section 2}
   */
  @CheckOptional(isOneOf('lenient', 'rfc9068')) readonly profile?: 'lenient' | 'rfc9068' = 'lenient';

  /**
   * The maximum age of a JWT after its `iat`, whatever its `exp`. A JWT without `iat` is then rejected. The tolerance of
   * `clockToleranceSeconds` applies. Holds for the same tokens as `profile`.
   *
   * Unit: seconds. Range: 1 to 2592000.
   *
   * @defaultValue none: only `exp` counts
   * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.6 | RFC 7519 section 4.1.6}
   */
  @CheckOptional(isWholeNumber(1, 2_592_000, 'seconds')) readonly maxTokenAgeSeconds?: number;

  /**
   * Claims that every token of this server must have, in addition to those of `profile`, also if a `verifier` verified it. If
   * a verifier's claims have no `iss`, they belong to no server, so they need none of these. The value of `iss`, `sub`,
   * `client_id` and `jti` must be a non-empty text. Any other claim only has to be present.
   *
   * @defaultValue none
   */
  @CheckOptional(isListOf(isText, { nonEmpty: false })) readonly requiredClaims?: readonly string[] = [];

  /**
   * Whether each token of this server is accepted for one request only, also if a `verifier` verified it. A token that was
   * used before is rejected. Two tokens are the same if they have the same `jti`. A token without `jti` is rejected, and so is
   * one without an expiry, or with an expiry more than 30 days away. A request with several guards uses its token once.
   *
   * The token counts as used once all checks of it have passed, and before scopes are compared. `true`: see
   * {@link OneTimeTokenOptions} for where used tokens are remembered.
   *
   * @defaultValue false
   * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7 | RFC 7519 section 4.1.7}
   */
  @CheckOptionalObject(() => OneTimeTokenOptions, 'must be true, false or an object', [true, false])
  readonly oneTimeTokens?: boolean | OneTimeTokenOptions = false;

  /**
   * Which claims of its JWTs and introspection answers name client and scopes. A `verifier` of the application uses the usual
   * names, or names them with `VerifiedToken`.
   *
   * @defaultValue see {@link ClaimNames}
   */
  @CheckOptionalObject(() => ClaimNames) readonly claimNames?: ClaimNames = new ClaimNames();

  /**
   * What to do if the metadata lacks something that MCP clients need. They need PKCE with S256, the code flow, its endpoints,
   * and a way to register. `warn` logs it, `off` does not check. Both change nothing for tokens. `error` makes it a failure of
   * discovery: startup is aborted, or with `retry` and `lazy` the tokens of this server get 503.
   *
   * @defaultValue 'warn'
   */
  @CheckOptional(isOneOf('warn', 'error', 'off')) readonly mcpCompliance?: 'warn' | 'error' | 'off' = 'warn';
}

/**
 * All options of an authorization server. One of `issuer`, `metadataUrl` and `metadata` is needed.
 *
 * @publicApi
 */
export class AnyAuthorizationServerOptions extends AuthorizationServerBaseOptions {
  /**
   * The issuer, exactly as in the server's metadata and tokens. https, or http on loopback. If `metadataUrl` is set too, the
   * document must name this issuer.
   *
   * @defaultValue derived from `metadataUrl` if that has a well-known form
   */
  @CheckOptional(isString(identifierProblem)) readonly issuer?: string;
  /** The well-known locations of `issuer` that are fetched, or the well-known form of `metadataUrl`. @defaultValue 'auto' */
  @CheckOptional(isOneOf('auto', 'oauth', 'oidc')) readonly type?: AuthorizationServerType = 'auto';
  /** The URL of a metadata document at any other location. https, or http on loopback. */
  @CheckOptional(isString(urlProblem)) readonly metadataUrl?: string;
  /**
   * Accepts any issuer that the document at `metadataUrl` names. Then the party that controls the document chooses the issuer.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly trustDocumentIssuer?: boolean = false;
  /** The document itself, with its `issuer`. Then only the keys are fetched. */
  @CheckOptional(isPlainObject) readonly metadata?: AuthorizationServerMetadata;
}

/** An authorization server found by its issuer identifier. @publicApi */
export type AuthorizationServerByIssuer = AuthorizationServerBaseOptions &
  Required<Pick<AnyAuthorizationServerOptions, 'issuer'>> &
  Pick<AnyAuthorizationServerOptions, 'type'>;

/** An authorization server whose metadata has a URL of its own. @publicApi */
export type AuthorizationServerByMetadataUrl = AuthorizationServerBaseOptions &
  Required<Pick<AnyAuthorizationServerOptions, 'metadataUrl'>> &
  Pick<AnyAuthorizationServerOptions, 'issuer' | 'type' | 'trustDocumentIssuer'>;

/** An authorization server whose metadata is in the options; only its keys are fetched. @publicApi */
export type AuthorizationServerByMetadata = AuthorizationServerBaseOptions &
  Required<Pick<AnyAuthorizationServerOptions, 'metadata'>>;

/** An authorization server whose tokens are accepted, given by issuer, metadata URL or metadata. @publicApi */
export type AuthorizationServerOptions =
  AuthorizationServerByIssuer | AuthorizationServerByMetadataUrl | AuthorizationServerByMetadata;
