import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import type { TestKey } from './test-keys.js';

/**
 * The well-known locations at which a {@link TestAuthorizationServer} serves its metadata.
 *
 * - `oauth`: RFC 8414, `/.well-known/oauth-authorization-server/path`
 * - `oidc`: OpenID Connect Discovery, `/path/.well-known/openid-configuration`
 * - `oidc-inserted`: the form in between, `/.well-known/openid-configuration/path`
 * - `all`: the three
 * - `none`: nowhere, until {@link TestAuthorizationServer.serveMetadata} adds a path
 *
 * @publicApi
 */
export type TestMetadataLayout = 'oauth' | 'oidc' | 'oidc-inserted' | 'all' | 'none';

/** The endpoints of a {@link TestAuthorizationServer} that can fail and whose requests are counted. @publicApi */
export type TestEndpoint = 'metadata' | 'jwks' | 'introspection' | 'revocation';

/**
 * How a client authenticates at introspection and revocation. `bearer` uses an access token of its own; `none` needs
 * no credentials.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-2 | RFC 7591 section 2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.1 | RFC 7662 section 2.1}
 * @publicApi
 */
export type TestClientAuthMethod =
  'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'bearer' | 'none';

/** The client that may use introspection and revocation: usually the resource server under test. @publicApi */
export interface TestClient {
  readonly clientId: string;
  /** For `client_secret_basic` and `client_secret_post`. @defaultValue none */
  readonly clientSecret?: string;
  /** For `private_key_jwt`: the public half of the key that signs the assertions. @defaultValue none */
  readonly publicJwk?: JWK;
  /** For `bearer`: the client's own access token. @defaultValue none */
  readonly bearerToken?: string;
  /** The methods that the client may use. @defaultValue all that its credentials allow */
  readonly authMethods?: readonly TestClientAuthMethod[];
}

/** Options of {@link TestAuthorizationServer.start}. @publicApi */
export interface TestAuthorizationServerOptions {
  /** The path of the issuer, such as `/tenant1`. A slash at its end is part of the issuer. @defaultValue '' */
  readonly issuerPath?: string;

  /** The locations of the metadata. @defaultValue 'all' */
  readonly layout?: TestMetadataLayout;

  /**
   * The initial keys, for example to share them among servers. The first key of each algorithm signs. The algorithm
   * of the first key is the default.
   *
   * @defaultValue an RS256 key, made when it is first needed
   */
  readonly keys?: readonly TestKey[];

  /** The client that may introspect and revoke. @defaultValue `resource-server` with the secret `resource-server-secret` */
  readonly introspectionClient?: TestClient;

  /**
   * The form of introspection responses: `jwt` is always signed, `json` never. `accept` is signed if the request's
   * Accept header names `application/token-introspection+jwt`.
   *
   * @defaultValue 'accept'
   * @see {@link https://www.rfc-editor.org/rfc/rfc9701#section-5 | RFC 9701 section 5}
   */
  readonly introspectionResponse?: 'accept' | 'json' | 'jwt';

  /** The clock for issuing and expiring tokens. @defaultValue `() => new Date()` */
  readonly now?: () => Date;

  /**
   * Whether to start with any `NODE_ENV`. If false, the server starts only with `test` and `development`. The server
   * listens on 127.0.0.1. Any client that can connect can use it.
   *
   * @defaultValue false
   */
  readonly allowAnyEnvironment?: boolean;
}

/** A request that a {@link TestAuthorizationServer} has received. @publicApi */
export interface TestRequest {
  readonly method: string;
  /** The path with its query, exactly as received. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The endpoint of the path; undefined if the path is not an endpoint. */
  readonly endpoint: TestEndpoint | undefined;
}

/** Handles a request. The body has been read already: it is the third argument. @publicApi */
export type TestListener = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A response before a fault changes it or the server writes it. @internal */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
