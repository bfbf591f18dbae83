import { type JSONWebKeySet, type JWK } from 'jose';
// eslint-disable-next-line no-restricted-imports -- a type only: options name verifiers, which get options
import { type TokenVerifierClass, type VerifyToken } from '../verifier/token.verifier.js';
import {
  type AuthorizationServerType,
  type RemoteJwkSetOptions,
  type TranspileData,
} from './authorization-server-options.interface.js';
import { type IntrospectionCacheOptions } from './introspection-options.interface.js';
import {
  type McpAuthModuleOptions,
  type ProtectedResourceMetadataOptions,
  type TokenCacheOptions,
} from './mcp-auth-options.interface.js';

/** How an authorization server is asked about tokens: checked, defaulted, frozen. @publicApi */
export interface ResolvedIntrospectionOptions {
  readonly clientId: string;
  readonly authMethod: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  /** Not enumerable, so that inspecting or logging the options does not show it. */
  readonly clientSecret: (() => string | Promise<string>) | undefined;
  /** Not enumerable, as the secret. */
  readonly privateKey: JWK | undefined;
  readonly endpoint: string | undefined;
  readonly requireSignedResponse: boolean;
  readonly requireExpiry: boolean;
  readonly timeoutMs: number;
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
  /** The resource's own, else the module's; undefined where the package verifies tokens itself. */
  readonly verifier: TokenVerifierClass | VerifyToken | undefined;
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
  readonly verifierTimeoutMs: number;
  /** Undefined where no token is remembered. */
  readonly tokenCache: Required<TokenCacheOptions> | undefined;
  readonly earlyAuthentication: boolean;
  readonly isRevoked: McpAuthModuleOptions['isRevoked'];
  readonly fetch: typeof fetch;
  readonly now: () => Date;
}
