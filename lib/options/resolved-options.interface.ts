import type {
  McpAuthModuleOptions,
  SessionBindingOptions,
  StdioCaller,
  TokenCacheOptions,
} from './mcp-auth-options.js';
import type { AllowedClientsOptions } from './allowed-clients-options.js';
import type { ApiKeyOptions } from './api-key-options.js';
import type { Policy } from './authorization-policy.js';
import type { DpopOptions } from './dpop-options.js';
import type { MutualTlsOptions } from './mutual-tls-options.js';
import type { ProtectedResourceOptions } from './protected-resource-options.js';
import type { RequestUserOptions } from './request-user-options.js';
import type { ResolveTenant, TenantResolverClass } from './tenant-resolver.js';
import type {
  AuthorizationServerResolverClass,
  ResolveAuthorizationServer,
} from './authorization-server-resolver.js';
import type { TokenVerifierClass, VerifyToken } from './token.verifier.js';
import type {
  Resolved,
  ResolvedAuthorizationServerOptions,
} from './trusted-authorization-server.interface.js';

/** How DPoP is used at a resource. @publicApi */
export interface ResolvedDpopOptions extends Required<
  Pick<DpopOptions, 'mode' | 'algorithms' | 'proofMaxAgeSeconds'>
> {
  /** Undefined if proofs need no nonce. Not enumerable: it leads to the secrets. */
  readonly nonce: DpopOptions['nonce'];
  /** Undefined for the memory of this process. */
  readonly replayStore: DpopOptions['replayStore'];
}

/** How tokens that are bound to certificates are used at a resource. @publicApi */
export interface ResolvedMutualTlsOptions extends Required<Pick<MutualTlsOptions, 'required'>> {
  /** Undefined if only the TLS connection has the certificate. */
  readonly certificateHeader: MutualTlsOptions['certificateHeader'];
}

/** How API keys are used at a resource. @publicApi */
export interface ResolvedApiKeyOptions extends Pick<ApiKeyOptions, 'issuer'> {
  /** In lower case. */
  readonly header: string;
  readonly verifier: TokenVerifierClass | VerifyToken;
}

/** The clients that may use a resource. @publicApi */
export interface ResolvedAllowedClientsOptions extends Required<Pick<AllowedClientsOptions, 'clientIds'>> {
  /** In lower case and without default ports, each with a slash at its end. */
  readonly origins: readonly string[];
}

/** One protected resource as configured: checked, defaulted, frozen. @publicApi */
export type ResolvedProtectedResourceOptions = Resolved<
  Omit<ProtectedResourceOptions, 'audience'>,
  {
    name: string | undefined;
    /** Empty for a template. */
    authorizationServers: readonly ResolvedAuthorizationServerOptions[];
    /** Undefined if only the servers of the list are trusted. */
    authorizationServerResolver: AuthorizationServerResolverClass | ResolveAuthorizationServer | undefined;
    scopesSupported: readonly string[] | undefined;
    /** The audiences that are accepted, as written. */
    audiences: readonly string[];
    /** With the defaults, in lower case and without default ports. `:*` is every port, `*` is any origin. */
    allowedOrigins: readonly string[];
    /** With the defaults, in lower case; undefined if the Host is not checked. */
    allowedHosts: readonly string[] | undefined;
    /** Undefined if the resource is no template. An object has become a function. */
    tenants: TenantResolverClass | ResolveTenant | undefined;
    /** Undefined if bound tokens are rejected. */
    dpop: ResolvedDpopOptions | undefined;
    /** Undefined if tokens that are bound to a certificate are rejected. */
    mutualTls: ResolvedMutualTlsOptions | undefined;
    /** Undefined if every client may. */
    allowedClients: ResolvedAllowedClientsOptions | undefined;
    /** Undefined if there are no API keys. */
    apiKeys: ResolvedApiKeyOptions | undefined;
    /** Undefined if the resource has no policy. */
    policy: readonly Policy[] | undefined;
    /** The resource's own, else the module's; undefined if the package verifies tokens itself. */
    verifier: TokenVerifierClass | VerifyToken | undefined;
  }
>;

/** The resolved options that the package uses; see {@link MCP_AUTH_OPTIONS}. @publicApi */
export type ResolvedMcpAuthOptions = Resolved<
  Omit<McpAuthModuleOptions, 'verifier'>,
  {
    resources: readonly ResolvedProtectedResourceOptions[];
    /** Undefined if no token is cached. */
    tokenCache: Required<TokenCacheOptions> | undefined;
    /** Undefined if sessions are not bound. The secrets are not enumerable. */
    sessionBinding: Resolved<SessionBindingOptions, { secrets: readonly string[] | undefined }> | undefined;
    errorUri: string | undefined;
    /** The page with a section for each reason, for `error_uri`; only in development, and without `errorUri`. */
    errorPage: string | undefined;
    /** All scopes that a scope includes, directly or by another; undefined if none includes another. */
    scopeHierarchy: ReadonlyMap<string, readonly string[]> | undefined;
    stdio: 'deny' | 'allow' | Resolved<StdioCaller, { subject: string | undefined }>;
    /** Undefined if it depends on whether a source declares anything. */
    undeclaredTools: 'allow' | 'deny' | undefined;
    /** Undefined if only `req.auth` is set. */
    requestUser: Resolved<RequestUserOptions, { toUser: RequestUserOptions['toUser'] }> | undefined;
    /** Undefined if events have the subject and the address as they are. */
    redact: McpAuthModuleOptions['redact'];
    isRevoked: McpAuthModuleOptions['isRevoked'];
    onUnauthorized: McpAuthModuleOptions['onUnauthorized'];
  }
>;
