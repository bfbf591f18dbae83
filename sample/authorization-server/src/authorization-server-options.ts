/** Resource identifier (RFC 8707) -> the scopes that resource knows. */
export type ResourceScopes = Record<string, readonly string[]>;

export interface AuthorizationServerOptions {
  /** Port to listen on at 127.0.0.1; 0 picks a free one. */
  port: number;
  /**
   * Resource identifier (RFC 8707) -> scopes it knows. A function is asked at request time, so
   * resources may be added later.
   */
  resources: ResourceScopes | (() => ResourceScopes);
  /** Scope -> what it allows, as the consent page says it. Those of the samples are known; others are shown by name alone. */
  scopeDescriptions?: Readonly<Record<string, string>>;
  /** The one person who can sign in. */
  username: string;
  password: string;
  /** Lifetime of access tokens; 300 seconds unless told otherwise. */
  accessTokenLifetimeSeconds?: number;
  /**
   * What access tokens are: JWTs, which live until they expire, or references to what this server keeps, which can be
   * introspected and revoked. JWTs unless told otherwise.
   */
  accessTokenFormat?: 'jwt' | 'opaque';
  /**
   * The resource that is meant by clients that name none: those of MCP 2025-03-26 know no `resource` parameter. Without it
   * they are rejected.
   */
  defaultResource?: string;
  /** Public clients that are known from the start, with a refresh token each. */
  clients?: readonly { clientId: string; clientName?: string; redirectUris: readonly string[] }[];
  /** Whether clients may register themselves (RFC 7591). They may unless told otherwise. */
  registration?: boolean;
  /** A confidential client allowed to introspect; optional. */
  introspectionClient?: { clientId: string; clientSecret: string };
  /** Confidential clients that may exchange tokens (RFC 8693). None unless told otherwise. */
  tokenExchangeClients?: readonly TokenExchangeClient[];
}

/** A service that calls other services in the name of its callers. */
export interface TokenExchangeClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Its own resource: it exchanges only tokens that were issued for it. */
  readonly resource: string;
  /** The resources that it may call. */
  readonly targets: readonly string[];
}

export const DEFAULT_ACCESS_TOKEN_LIFETIME_SECONDS = 300;

/** Injection token of the options inside the Nest app. */
export const AUTHORIZATION_SERVER_OPTIONS = Symbol('AUTHORIZATION_SERVER_OPTIONS');

/** Injection token of the configured oidc-provider instance. */
export const OIDC_PROVIDER = Symbol('OIDC_PROVIDER');

/** Injection token of the keys that JWTs are signed with. */
export const SIGNING_KEYS = Symbol('SIGNING_KEYS');

/** Injection token of the public part of {@link SIGNING_KEYS}, for a resource server in the same application. */
export const PUBLIC_KEYS = Symbol('PUBLIC_KEYS');
