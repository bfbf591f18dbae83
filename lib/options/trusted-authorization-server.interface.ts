import type { JWK } from 'jose';
import type {
  AnyAuthorizationServerOptions,
  AuthorizationServerMetadata,
  RemoteJwkSetOptions,
  TranspileData,
} from './authorization-server-options.js';
import type { ResolvedClaimNames } from './claim-names.js';
import type { IntrospectionCacheOptions, IntrospectionOptions } from './introspection-options.js';
import type { ReplayStore } from './replay-store.js';
import type { TokenExchangeOptions } from './token-exchange-options.js';

/**
 * The options of a class with their defaults filled in.
 *
 * @typeParam Changes - the members that have no default, or that are resolved to something else
 * @publicApi
 */
export type Resolved<Options, Changes> = Readonly<Required<Omit<Options, keyof Changes>> & Changes>;

/** How tokens are introspected at an authorization server: checked, defaulted, frozen. @publicApi */
export type ResolvedIntrospectionOptions = Resolved<
  IntrospectionOptions,
  {
    /** Not enumerable, so that inspecting or logging the options does not show it. */
    clientSecret: (() => string | Promise<string>) | undefined;
    /** Not enumerable, as the secret. */
    privateKey: JWK | undefined;
    /** Not enumerable, as the secret. */
    bearerToken: (() => string | Promise<string>) | undefined;
    endpoint: string | undefined;
    /** Without state. */
    opaqueTokenPattern: RegExp | undefined;
    cache: Required<IntrospectionCacheOptions> | undefined;
  }
>;

/** How tokens are exchanged at an authorization server: checked, defaulted, frozen. @publicApi */
export type ResolvedTokenExchangeOptions = Resolved<
  TokenExchangeOptions,
  {
    /** Not enumerable, so that inspecting or logging the options does not show it. */
    clientSecret: (() => string | Promise<string>) | undefined;
    /** Not enumerable, as the secret. */
    privateKey: JWK | undefined;
  }
>;

/** One authorization server as configured: checked, defaulted, frozen. @publicApi */
export type ResolvedAuthorizationServerOptions = Resolved<
  AnyAuthorizationServerOptions,
  {
    /** Undefined if the metadata, from the options or from a URL of its own, names it. */
    issuer: string | undefined;
    metadataUrl: string | undefined;
    metadata: Readonly<Record<string, unknown>> | undefined;
    transpileData: TranspileData | undefined;
    jwks: AnyAuthorizationServerOptions['jwks'];
    remoteJwkSet: Required<RemoteJwkSetOptions>;
    introspection: ResolvedIntrospectionOptions | undefined;
    tokenExchange: ResolvedTokenExchangeOptions | undefined;
    maxTokenAgeSeconds: number | undefined;
    /** Undefined if a token may be used again. Without a store, the process remembers used tokens. */
    oneTimeTokens: { readonly replayStore: ReplayStore | undefined } | undefined;
    claimNames: ResolvedClaimNames;
    /** Whether the package verifies its tokens, and so needs to know where its keys are. */
    needsKeys: boolean;
  }
>;

/** An authorization server that a resource trusts. @publicApi */
export interface TrustedAuthorizationServer {
  /** Exactly as in its tokens. */
  readonly issuer: string;
  readonly options: ResolvedAuthorizationServerOptions;
  /**
   * Returns the server's metadata, at most as old as the options allow.
   *
   * @throws {@link AuthorizationServerUnavailableError} if it cannot be fetched
   */
  metadata(): Promise<AuthorizationServerMetadata>;
}
