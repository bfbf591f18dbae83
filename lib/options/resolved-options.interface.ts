import { type JSONWebKeySet, type JWK } from 'jose';
// eslint-disable-next-line no-restricted-imports -- a type only: options name verifiers, which get options
import { type TokenVerifierClass, type VerifyToken } from '../verifier/token.verifier.js';
import {
  type AuthorizationServerType,
  type RemoteJwkSetOptions,
  type TranspileData,
} from './authorization-server-options.interface.js';
import { type ResolvedClaimNames } from './claim-names.js';
import {
  type IntrospectionAuthMethod,
  type IntrospectionCacheOptions,
} from './introspection-options.interface.js';
import {
  type McpAuthModuleOptions,
  type ProtectedResourceMetadataOptions,
  type SessionBindingOptions,
  type TokenCacheOptions,
} from './mcp-auth-options.interface.js';

/** How an authorization server is asked about tokens: checked, defaulted, frozen. @publicApi */
export interface ResolvedIntrospectionOptions {
  readonly clientId: string;
  readonly authMethod: IntrospectionAuthMethod;
  /** Not enumerable, so that inspecting or logging the options does not show it. */
  readonly clientSecret: (() => string | Promise<string>) | undefined;
  /** Not enumerable, as the secret. */
  readonly privateKey: JWK | undefined;
  /** Not enumerable, as the secret. */
  readonly bearerToken: (() => string | Promise<string>) | undefined;
  readonly endpoint: string | undefined;
  readonly requireSignedResponse: boolean;
  readonly requireExpiry: boolean;
  readonly trustAnswerWithoutAudience: boolean;
  readonly timeoutMs: number;
  readonly maxConcurrentRequests: number;
  readonly maxQueuedRequests: number;
  /** Without state. */
  readonly opaqueTokenPattern: RegExp | undefined;
  readonly cache: Required<IntrospectionCacheOptions> | undefined;
}

/** One authorization server as configured: checked, defaulted, frozen. @publicApi */
export interface ResolvedAuthorizationServerOptions {
  /** Undefined where the metadata, given by hand or at an address of its own, names it. */
  readonly issuer: string | undefined;
  readonly type: AuthorizationServerType;
  readonly metadataUrl: string | undefined;
  readonly trustDocumentIssuer: boolean;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly transpileData: TranspileData | undefined;
  readonly jwks: JSONWebKeySet | (() => JSONWebKeySet | Promise<JSONWebKeySet>) | undefined;
  readonly remoteJwkSet: Required<RemoteJwkSetOptions>;
  readonly mode: 'jwt' | 'introspection' | 'auto';
  readonly introspection: ResolvedIntrospectionOptions | undefined;
  readonly algorithms: readonly string[];
  readonly profile: 'lenient' | 'rfc9068';
  readonly maxTokenAgeSeconds: number | undefined;
  readonly requiredClaims: readonly string[];
  readonly claimNames: ResolvedClaimNames;
  readonly mcpCompliance: 'warn' | 'error' | 'off';
  /** Whether its tokens are verified by the package, so that it must be known where its keys are. */
  readonly needsKeys: boolean;
}

/** One protected resource as configured: checked, defaulted, frozen. @publicApi */
export interface ResolvedProtectedResourceOptions {
  readonly name: string | undefined;
  readonly resource: string;
  readonly authorizationServers: readonly ResolvedAuthorizationServerOptions[];
  readonly requiredScopes: readonly string[];
  readonly scopesSupported: readonly string[] | undefined;
  /** The audiences that are accepted, as written. */
  readonly audiences: readonly string[];
  readonly audienceMatch: 'exact' | 'hierarchical';
  readonly refuseMultipleAudiences: boolean;
  /** With the defaults, in lower case and without default ports. `:*` stands for every port, `*` for any origin. */
  readonly allowedOrigins: readonly string[];
  /** With the defaults, in lower case; undefined where the Host is not looked at. */
  readonly allowedHosts: readonly string[] | undefined;
  /** The resource's own, else the module's; undefined where the package verifies tokens itself. */
  readonly verifier: TokenVerifierClass | VerifyToken | undefined;
  /** Issuers that only the verifier may name. */
  readonly privateIssuers: readonly string[];
  readonly allowAnonymous: boolean;
  readonly metadata: ProtectedResourceMetadataOptions;
}

/** What the whole package works with; see {@link MCP_AUTH_OPTIONS}. @publicApi */
export interface ResolvedMcpAuthOptions {
  readonly resources: readonly ResolvedProtectedResourceOptions[];
  readonly clockToleranceSeconds: number;
  readonly discoveryTimeoutMs: number;
  readonly discovery: 'bootstrap' | 'lazy';
  readonly onDiscoveryFailure: 'fail' | 'retry';
  readonly metadataRefreshSeconds: number;
  readonly maxTokenLength: number;
  readonly metadataMaxAgeSeconds: number;
  readonly serveRootAlias: boolean;
  readonly legacyAuthorizationServerMetadata: boolean | string;
  readonly verifierTimeoutMs: number;
  /** Undefined where no token is remembered. */
  readonly tokenCache: Required<TokenCacheOptions> | undefined;
  /** Undefined where sessions are not bound. */
  readonly sessionBinding: Required<SessionBindingOptions> | undefined;
  readonly earlyAuthentication: boolean;
  readonly endStreamsAtExpiry: boolean;
  readonly showErrorDetails: boolean;
  readonly errorBody: 'oauth' | 'json-rpc';
  readonly errorUri: string | undefined;
  /** All scopes that a scope includes, directly or by another; undefined where none includes another. */
  readonly scopeHierarchy: ReadonlyMap<string, readonly string[]> | undefined;
  readonly listPolicy: 'show' | 'hide' | 'annotate';
  readonly stdio:
    | 'deny'
    | 'allow'
    | { readonly subject: string | undefined; readonly clientId: string; readonly scopes: readonly string[] };
  /** Undefined where it depends on whether a source declares anything. */
  readonly undeclaredTools: 'allow' | 'deny' | undefined;
  readonly undecoratedTools: 'allow' | 'deny';
  readonly maxOperations: number;
  readonly isRevoked: McpAuthModuleOptions['isRevoked'];
  readonly onUnauthorized: McpAuthModuleOptions['onUnauthorized'];
  readonly fetch: typeof fetch;
  readonly now: () => Date;
}
