import type { JSONWebKeySet } from 'jose';
import type { AuthorizationServer } from 'oauth4webapi';
import { REQUEST_TIMEOUT_MS } from '../mcp-auth.constants.js';
import { SIGNATURE_ALGORITHMS } from './algorithms.js';
import { CheckOptional, CheckOptionalObject } from './check.decorator.js';
import { USUAL_CLAIM_NAMES } from './claim-names.js';
import { IntrospectionOptions } from './introspection-options.js';
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
 * An authorization server's metadata as RFC 8414 and OpenID Connect Discovery name its members. Members
 * that neither names are kept.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 | RFC 8414 section 2}
 * @publicApi
 */
export type AuthorizationServerMetadata = AuthorizationServer;

/**
 * Which well-known locations of an issuer are asked for its metadata.
 *
 * - `oauth`: RFC 8414 only, `https://host/.well-known/oauth-authorization-server/path`
 * - `oidc`: OpenID Connect Discovery only, `https://host/path/.well-known/openid-configuration`
 * - `auto`: the three locations of the MCP specification, in its order
 *
 * @publicApi
 */
export type AuthorizationServerType = 'auto' | 'oauth' | 'oidc';

/**
 * Changes a metadata document before it is checked, to repair what a server gets wrong. Gets a copy; its
 * result is checked like any document, the issuer included. What it throws stops the application's start.
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

/** How a remote key set is fetched and kept. @publicApi */
export class RemoteJwkSetOptions {
  /** Time limit for one fetch. Unit: milliseconds. Range: 100 to 30000. @defaultValue 5000 */
  @CheckOptional(isWholeNumber(100, 30_000, 'milliseconds')) readonly timeoutMs?: number = REQUEST_TIMEOUT_MS;
  /**
   * A token with an unknown key id, or with a signature that fails, has the keys fetched anew, but not within this time of
   * the last fetch.
   * Unit: seconds. Range: 1 to 3600. @defaultValue 30
   */
  @CheckOptional(isWholeNumber(1, 3600, 'seconds')) readonly cooldownSeconds?: number = 30;
  /** Older keys are fetched anew. Unit: seconds. Range: 1 to 86400. @defaultValue 600 */
  @CheckOptional(isWholeNumber(1, 86_400, 'seconds')) readonly cacheMaxAgeSeconds?: number = 600;
  /**
   * Keys that cannot be fetched anew serve until they are this old. Unit: seconds. Range: 1 to 86400.
   * @defaultValue 3600
   */
  @CheckOptional(isWholeNumber(1, 86_400, 'seconds')) readonly staleMaxAgeSeconds?: number = 3600;
  /** Sent with each fetch. @defaultValue none */
  @CheckOptional(isHeaders) readonly headers?: Readonly<Record<string, string>> = {};
}

/**
 * Where an authorization server puts client and scopes, for one that names its claims in its own way. Without it, and
 * for each member that is left out, the names are those of RFC 9068 and of servers in wide use.
 *
 * @publicApi
 */
export class ClaimNames {
  /**
   * The claims that may name the client: the first that is a non-empty text does.
   *
   * @defaultValue `client_id`, `azp`, `cid`, `appid`
   */
  @CheckOptional(isNames) readonly clientId?: string | readonly string[] = USUAL_CLAIM_NAMES.clientId;

  /**
   * The claims that may list the scopes: the first that is present counts alone, be it a text that is split at spaces
   * or a list. A function makes the scopes from all claims instead, once they are verified; when it throws, or gives no
   * list, the answer is 500. Nothing but what is named here is ever taken for scopes.
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
 * What can be said of an authorization server however it is found.
 *
 * @publicApi
 */
export class AuthorizationServerBaseOptions {
  /** Repairs the metadata before it is checked; may be async. @defaultValue none */
  @CheckOptional(isFunction) readonly transpileData?: TranspileData;

  /**
   * The server's public keys, or a function that gives them. With them `jwks_uri` is neither needed nor
   * asked. A function is called when keys are needed and its result is kept as long as a fetched key set.
   *
   * @defaultValue fetched from the metadata's `jwks_uri`
   * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-5 | RFC 7517 section 5}
   */
  @CheckOptional(isJwks) readonly jwks?: JSONWebKeySet | (() => JSONWebKeySet | Promise<JSONWebKeySet>);

  /** How its key set is fetched and kept. @defaultValue see {@link RemoteJwkSetOptions} */
  @CheckOptionalObject(() => RemoteJwkSetOptions)
  readonly remoteJwkSet?: RemoteJwkSetOptions = new RemoteJwkSetOptions();

  /**
   * How its tokens are verified: `jwt` by its keys, `introspection` by asking it, `auto` by what a token looks
   * like. A JWT that fails is never introspected.
   *
   * @defaultValue 'auto' with `introspection`, else 'jwt'
   */
  @CheckOptional(isOneOf('jwt', 'introspection', 'auto')) readonly mode?: 'jwt' | 'introspection' | 'auto';

  /** How the server is asked about tokens. @defaultValue none: opaque tokens are rejected */
  @CheckOptionalObject(() => IntrospectionOptions) readonly introspection?: IntrospectionOptions;

  /**
   * JWS algorithms accepted from this server. Asymmetric ones only.
   *
   * @defaultValue RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519
   * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3.1 | RFC 8725 section 3.1}
   */
  @CheckOptional(isListOf(isOneOf(...SIGNATURE_ALGORITHMS), { nonEmpty: true }))
  readonly algorithms?: readonly string[] = SIGNATURE_ALGORITHMS;

  /**
   * What its JWTs must look like. `lenient` takes those of servers that do not follow RFC 9068: without `typ`, or with
   * the type `JWT`, and with the claims that every token needs. `rfc9068` takes the type `at+jwt` only and wants `iss`,
   * `exp`, `aud`, `sub`, `client_id`, `iat` and `jti`. Other kinds of token are rejected in both. Opaque tokens have
   * no profile, so it does not go with the mode `introspection`, and a `verifier` of the application does not heed it.
   *
   * @defaultValue 'lenient'
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2 | RFC 9068 section 2}
   */
  @CheckOptional(isOneOf('lenient', 'rfc9068')) readonly profile?: 'lenient' | 'rfc9068' = 'lenient';

  /**
   * How long after its `iat` a JWT is good at most, whatever its `exp`; one without `iat` is rejected then. With the
   * tolerance of `clockToleranceSeconds`, and for the same tokens as `profile`.
   *
   * Unit: seconds. Range: 1 to 2592000.
   *
   * @defaultValue none: `exp` alone says
   * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.6 | RFC 7519 section 4.1.6}
   */
  @CheckOptional(isWholeNumber(1, 2_592_000, 'seconds')) readonly maxTokenAgeSeconds?: number;

  /**
   * Claims without which a token of this server is rejected, whoever verified it, beside those of `profile`. A verifier's
   * claims without `iss` are of no server, so they need none of these. Of `iss`,
   * `sub`, `client_id` and `jti` the value must be a non-empty text; any other claim only has to be there.
   *
   * @defaultValue none
   */
  @CheckOptional(isListOf(isText, { nonEmpty: false })) readonly requiredClaims?: readonly string[] = [];

  /**
   * Which claims of its tokens give client and scopes: of JWTs and of introspection answers. A `verifier` of the
   * application uses the usual names, or says which by `VerifiedToken`.
   *
   * @defaultValue see {@link ClaimNames}
   */
  @CheckOptionalObject(() => ClaimNames) readonly claimNames?: ClaimNames = new ClaimNames();

  /**
   * What happens when the metadata lacks something that MCP clients need (PKCE with S256, the code flow, its
   * endpoints, a way to register): `warn` logs it, `error` stops the start, `off` does not look. It never
   * changes which tokens are accepted.
   *
   * @defaultValue 'warn'
   */
  @CheckOptional(isOneOf('warn', 'error', 'off')) readonly mcpCompliance?: 'warn' | 'error' | 'off' = 'warn';
}

/**
 * All that can be said of an authorization server. Its metadata is found by `issuer` or at `metadataUrl`, or it is given as
 * `metadata`; one of them is needed.
 *
 * @publicApi
 */
export class AnyAuthorizationServerOptions extends AuthorizationServerBaseOptions {
  /**
   * The issuer, to the letter as the server's metadata and tokens have it. https, or http on loopback. Beside
   * `metadataUrl`, it is the issuer that the document must name.
   *
   * @defaultValue worked out from `metadataUrl` where that has a well-known form
   */
  @CheckOptional(isString(identifierProblem)) readonly issuer?: string;
  /** Which well-known locations of `issuer` are asked, or which well-known form `metadataUrl` has. @defaultValue 'auto' */
  @CheckOptional(isOneOf('auto', 'oauth', 'oidc')) readonly type?: AuthorizationServerType = 'auto';
  /** The address of a metadata document that stands elsewhere. https, or http on loopback. */
  @CheckOptional(isString(urlProblem)) readonly metadataUrl?: string;
  /**
   * Takes whatever issuer the document at `metadataUrl` names. Then whoever controls the document chooses the issuer.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly trustDocumentIssuer?: boolean = false;
  /** The document itself, with its `issuer`. Nothing is fetched then but the keys. */
  @CheckOptional(isPlainObject) readonly metadata?: AuthorizationServerMetadata;
}

/** An authorization server found by its issuer identifier. @publicApi */
export type AuthorizationServerByIssuer = AuthorizationServerBaseOptions &
  Required<Pick<AnyAuthorizationServerOptions, 'issuer'>> &
  Pick<AnyAuthorizationServerOptions, 'type'>;

/** An authorization server whose metadata stands at an address of its own. @publicApi */
export type AuthorizationServerByMetadataUrl = AuthorizationServerBaseOptions &
  Required<Pick<AnyAuthorizationServerOptions, 'metadataUrl'>> &
  Pick<AnyAuthorizationServerOptions, 'issuer' | 'type' | 'trustDocumentIssuer'>;

/** An authorization server whose metadata is given by hand; nothing is fetched but its keys. @publicApi */
export type AuthorizationServerByMetadata = AuthorizationServerBaseOptions &
  Required<Pick<AnyAuthorizationServerOptions, 'metadata'>>;

/** An authorization server whose tokens are accepted: known by its issuer, its metadata URL or its metadata. @publicApi */
export type AuthorizationServerOptions =
  AuthorizationServerByIssuer | AuthorizationServerByMetadataUrl | AuthorizationServerByMetadata;
