import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import type { TestKey } from './test-keys.js';

/**
 * The well-known locations at which a {@link TestAuthorizationServer} has its metadata.
 *
 * - `oauth`: RFC 8414, `/.well-known/oauth-authorization-server/path`
 * - `oidc`: OpenID Connect Discovery, `/path/.well-known/openid-configuration`
 * - `oidc-inserted`: the form in between, `/.well-known/openid-configuration/path`
 * - `all`: the three
 * - `none`: nowhere, until {@link TestAuthorizationServer.serveMetadata} puts it somewhere
 *
 * @publicApi
 */
export type TestMetadataLayout = 'oauth' | 'oidc' | 'oidc-inserted' | 'all' | 'none';

/** The endpoints of a {@link TestAuthorizationServer} that can fail and whose requests are counted. @publicApi */
export type TestEndpoint = 'metadata' | 'jwks' | 'introspection' | 'revocation';

/**
 * How a client proves at introspection and revocation who it is: `bearer` by an access token of its own; `none` asks
 * for no proof.
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
  /** For `bearer`: its own access token. @defaultValue none */
  readonly bearerToken?: string;
  /** The methods it may use. @defaultValue all that its credentials allow */
  readonly authMethods?: readonly TestClientAuthMethod[];
}

/** Options of {@link TestAuthorizationServer.start}. @publicApi */
export interface TestAuthorizationServerOptions {
  /** The path of the issuer, such as `/tenant1`. A slash at its end is part of the issuer. @defaultValue '' */
  readonly issuerPath?: string;

  /** Where the metadata stands. @defaultValue 'all' */
  readonly layout?: TestMetadataLayout;

  /**
   * Keys to begin with, for instance to share them among servers. The first of each algorithm signs, and the
   * first of all gives the algorithm used where none is named.
   *
   * @defaultValue an RS256 key, made when it is first needed
   */
  readonly keys?: readonly TestKey[];

  /** Who may introspect and revoke. @defaultValue `resource-server` with the secret `resource-server-secret` */
  readonly introspectionClient?: TestClient;

  /**
   * The form of introspection answers: `jwt` is always signed, `json` never, `accept` when the request's Accept
   * header names `application/token-introspection+jwt`.
   *
   * @defaultValue 'accept'
   * @see {@link https://www.rfc-editor.org/rfc/rfc9701#section-5 | RFC 9701 section 5}
   */
  readonly introspectionResponse?: 'accept' | 'json' | 'jwt';

  /** The clock that tokens are dated by and expire by. @defaultValue `() => new Date()` */
  readonly now?: () => Date;

  /**
   * Starts whatever `NODE_ENV` is. Without it, only `test` and `development` start. Whoever reaches the process can use
   * the server; it listens on 127.0.0.1.
   *
   * @defaultValue false
   */
  readonly allowAnyEnvironment?: boolean;
}

/** A request that a {@link TestAuthorizationServer} has received. @publicApi */
export interface TestRequest {
  readonly method: string;
  /** The path with its query, to the letter. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Undefined for paths that are none of the endpoints. */
  readonly endpoint: TestEndpoint | undefined;
}

/** Answers a request by hand. Its body has been read already: it is the third argument. @publicApi */
export type TestListener = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** An answer before it is written, or changed by a fault. @internal */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
