import { type JWK } from 'jose';
// eslint-disable-next-line no-restricted-imports -- a type only: options name verifiers, which get options
import { type TokenVerifierClass, type VerifyToken } from '../verifier/token.verifier.js';
import {
  type AnyAuthorizationServerOptions,
  type RemoteJwkSetOptions,
  type TranspileData,
} from './authorization-server-options.js';
import { type ResolvedClaimNames } from './claim-names.js';
import { type IntrospectionCacheOptions, type IntrospectionOptions } from './introspection-options.js';
import {
  type McpAuthModuleOptions,
  type SessionBindingOptions,
  type StdioCaller,
  type TokenCacheOptions,
} from './mcp-auth-options.js';
import { type ProtectedResourceOptions } from './protected-resource-options.js';

/**
 * The options of a class with their defaults filled in.
 *
 * @typeParam Changes - the members that have no default, or that are resolved to something else
 * @publicApi
 */
export type Resolved<Options, Changes> = Readonly<Required<Omit<Options, keyof Changes>> & Changes>;

/** How an authorization server is asked about tokens: checked, defaulted, frozen. @publicApi */
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

/** One authorization server as configured: checked, defaulted, frozen. @publicApi */
export type ResolvedAuthorizationServerOptions = Resolved<
  AnyAuthorizationServerOptions,
  {
    /** Undefined where the metadata, given by hand or at an address of its own, names it. */
    issuer: string | undefined;
    metadataUrl: string | undefined;
    metadata: Readonly<Record<string, unknown>> | undefined;
    transpileData: TranspileData | undefined;
    jwks: AnyAuthorizationServerOptions['jwks'];
    remoteJwkSet: Required<RemoteJwkSetOptions>;
    introspection: ResolvedIntrospectionOptions | undefined;
    maxTokenAgeSeconds: number | undefined;
    claimNames: ResolvedClaimNames;
    /** Whether its tokens are verified by the package, so that it must be known where its keys are. */
    needsKeys: boolean;
  }
>;

/** One protected resource as configured: checked, defaulted, frozen. @publicApi */
export type ResolvedProtectedResourceOptions = Resolved<
  Omit<ProtectedResourceOptions, 'audience'>,
  {
    name: string | undefined;
    authorizationServers: readonly ResolvedAuthorizationServerOptions[];
    scopesSupported: readonly string[] | undefined;
    /** The audiences that are accepted, as written. */
    audiences: readonly string[];
    /** With the defaults, in lower case and without default ports. `:*` stands for every port, `*` for any origin. */
    allowedOrigins: readonly string[];
    /** With the defaults, in lower case; undefined where the Host is not looked at. */
    allowedHosts: readonly string[] | undefined;
    /** The resource's own, else the module's; undefined where the package verifies tokens itself. */
    verifier: TokenVerifierClass | VerifyToken | undefined;
  }
>;

/** What the whole package works with; see {@link MCP_AUTH_OPTIONS}. @publicApi */
export type ResolvedMcpAuthOptions = Resolved<
  Omit<McpAuthModuleOptions, 'verifier'>,
  {
    resources: readonly ResolvedProtectedResourceOptions[];
    /** Undefined where no token is remembered. */
    tokenCache: Required<TokenCacheOptions> | undefined;
    /** Undefined where sessions are not bound. */
    sessionBinding: Required<SessionBindingOptions> | undefined;
    errorUri: string | undefined;
    /** All scopes that a scope includes, directly or by another; undefined where none includes another. */
    scopeHierarchy: ReadonlyMap<string, readonly string[]> | undefined;
    stdio: 'deny' | 'allow' | Resolved<StdioCaller, { subject: string | undefined }>;
    /** Undefined where it depends on whether a source declares anything. */
    undeclaredTools: 'allow' | 'deny' | undefined;
    isRevoked: McpAuthModuleOptions['isRevoked'];
    onUnauthorized: McpAuthModuleOptions['onUnauthorized'];
  }
>;
