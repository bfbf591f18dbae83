import { type JSONWebKeySet } from 'jose';
import { type AuthorizationServer } from 'oauth4webapi';
import { type IntrospectionOptions } from './introspection-options.interface.js';

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

/** How a remote key set is fetched and kept. @publicApi */
export interface RemoteJwkSetOptions {
  /** Time limit for one fetch. Unit: milliseconds. Range: 100 to 30000. @defaultValue 5000 */
  readonly timeoutMs?: number;
  /**
   * A token with an unknown key id, or with a signature that fails, has the keys fetched anew, but not within this time of
   * the last fetch.
   * Unit: seconds. Range: 1 to 3600. @defaultValue 30
   */
  readonly cooldownSeconds?: number;
  /** Older keys are fetched anew. Unit: seconds. Range: 1 to 86400. @defaultValue 600 */
  readonly cacheMaxAgeSeconds?: number;
  /**
   * Keys that cannot be fetched anew serve until they are this old. Unit: seconds. Range: 1 to 86400.
   * @defaultValue 3600
   */
  readonly staleMaxAgeSeconds?: number;
  /** Sent with each fetch. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Where an authorization server puts client and scopes, for one that names its claims in its own way. Without it, and
 * for each member that is left out, the names are those of RFC 9068 and of servers in wide use.
 *
 * @publicApi
 */
export interface ClaimNames {
  /**
   * The claims that may name the client: the first that is a non-empty text does.
   *
   * @defaultValue `client_id`, `azp`, `cid`, `appid`
   */
  readonly clientId?: string | readonly string[];

  /**
   * The claims that may list the scopes: the first that is present counts alone, be it a text that is split at spaces
   * or a list. A function makes the scopes from all claims instead, once they are verified; when it throws, or gives no
   * list, the answer is 500. Nothing but what is named here is ever taken for scopes.
   *
   * @defaultValue `scope`, `scp`, `scopes`
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3 | RFC 9068 section 2.2.3}
   */
  readonly scopes?:
    string | readonly string[] | ((claims: Readonly<Record<string, unknown>>) => readonly string[]);
}

/**
 * What can be said of an authorization server however it is found.
 *
 * @publicApi
 */
export interface AuthorizationServerBaseOptions {
  /** Repairs the metadata before it is checked; may be async. @defaultValue none */
  readonly transpileData?: TranspileData;

  /**
   * The server's public keys, or a function that gives them. With them `jwks_uri` is neither needed nor
   * asked. A function is called when keys are needed and its result is kept as long as a fetched key set.
   *
   * @defaultValue fetched from the metadata's `jwks_uri`
   * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-5 | RFC 7517 section 5}
   */
  readonly jwks?: JSONWebKeySet | (() => JSONWebKeySet | Promise<JSONWebKeySet>);

  /** How its key set is fetched and kept. @defaultValue see {@link RemoteJwkSetOptions} */
  readonly remoteJwkSet?: RemoteJwkSetOptions;

  /**
   * How its tokens are verified: `jwt` by its keys, `introspection` by asking it, `auto` by what a token looks
   * like. A JWT that fails is never introspected.
   *
   * @defaultValue 'auto' with `introspection`, else 'jwt'
   */
  readonly mode?: 'jwt' | 'introspection' | 'auto';

  /** How the server is asked about tokens. @defaultValue none: opaque tokens are refused */
  readonly introspection?: IntrospectionOptions;

  /**
   * JWS algorithms accepted from this server. Asymmetric ones only.
   *
   * @defaultValue RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519
   * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3.1 | RFC 8725 section 3.1}
   */
  readonly algorithms?: readonly string[];

  /**
   * What its JWTs must look like. `lenient` takes those of servers that do not follow RFC 9068: without `typ`, or with
   * the type `JWT`, and with the claims that every token needs. `rfc9068` takes the type `at+jwt` only and wants `iss`,
   * `exp`, `aud`, `sub`, `client_id`, `iat` and `jti`. Other kinds of token are refused in both. Opaque tokens have
   * no profile, so it does not go with the mode `introspection`, and a `verifier` of the application does not heed it.
   *
   * @defaultValue 'lenient'
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2 | RFC 9068 section 2}
   */
  readonly profile?: 'lenient' | 'rfc9068';

  /**
   * How long after its `iat` a JWT is good at most, whatever its `exp`; one without `iat` is refused then. With the
   * tolerance of `clockToleranceSeconds`, and for the same tokens as `profile`.
   *
   * Unit: seconds. Range: 1 to 2592000.
   *
   * @defaultValue none: `exp` alone says
   * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.6 | RFC 7519 section 4.1.6}
   */
  readonly maxTokenAgeSeconds?: number;

  /**
   * Claims without which a token of this server is rejected, whoever verified it, beside those of `profile`. A verifier's
   * claims without `iss` are of no server, so they need none of these. Of `iss`,
   * `sub`, `client_id` and `jti` the value must be a non-empty text; any other claim only has to be there.
   *
   * @defaultValue none
   */
  readonly requiredClaims?: readonly string[];

  /**
   * Which claims of its tokens give client and scopes: of JWTs and of introspection answers. A `verifier` of the
   * application uses the usual names, or says which by `VerifiedToken`.
   *
   * @defaultValue see {@link ClaimNames}
   */
  readonly claimNames?: ClaimNames;

  /**
   * What happens when the metadata lacks something that MCP clients need (PKCE with S256, the code flow, its
   * endpoints, a way to register): `warn` logs it, `error` stops the start, `off` does not look. It never
   * changes which tokens are accepted.
   *
   * @defaultValue 'warn'
   */
  readonly mcpCompliance?: 'warn' | 'error' | 'off';
}

/** An authorization server found by its issuer identifier. @publicApi */
export interface AuthorizationServerByIssuer extends AuthorizationServerBaseOptions {
  /** The issuer, to the letter as the server's metadata and tokens have it. https, or http on loopback. */
  readonly issuer: string;
  /** Which well-known locations are asked. @defaultValue 'auto' */
  readonly type?: AuthorizationServerType;
}

/** An authorization server whose metadata stands at an address of its own. @publicApi */
export interface AuthorizationServerByMetadataUrl extends AuthorizationServerBaseOptions {
  /** The document's address. https, or http on loopback. */
  readonly metadataUrl: string;
  /**
   * The issuer that the document must name.
   *
   * @defaultValue worked out from `metadataUrl` where that has a well-known form
   */
  readonly issuer?: string;
  /** Which well-known form `metadataUrl` has. @defaultValue 'auto', told from the URL */
  readonly type?: AuthorizationServerType;
  /** Takes whatever issuer the document names. Then whoever controls the document chooses the issuer. @defaultValue false */
  readonly trustDocumentIssuer?: boolean;
}

/** An authorization server whose metadata is given by hand; nothing is fetched but its keys. @publicApi */
export interface AuthorizationServerByMetadata extends AuthorizationServerBaseOptions {
  /** The document itself, with its `issuer`. */
  readonly metadata: AuthorizationServerMetadata;
}

/** An authorization server whose tokens are accepted: known by its issuer, its metadata URL or its metadata. @publicApi */
export type AuthorizationServerOptions =
  AuthorizationServerByIssuer | AuthorizationServerByMetadataUrl | AuthorizationServerByMetadata;
