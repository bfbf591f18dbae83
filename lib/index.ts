export {
  type AuthorizationServerFailure,
  BootstrapDiscoveryError,
  DiscoveryError,
  type DiscoveryFailure,
} from './errors/discovery.error.js';
export { type ConfigProblem, McpAuthConfigError } from './errors/config.error.js';
export { McpAuthError, type McpAuthErrorCode } from './errors/mcp-auth.error.js';
export {
  AuthorizationServerUnavailableError,
  type CredentialsRefusal,
  CredentialsRefusedError,
  InsufficientScopeError,
  type TokenRefusal,
  TokenRefusedError,
} from './errors/refusal.errors.js';

export { MCP_AUTH_OPTIONS } from './mcp-auth.constants.js';
export { McpAuthModule } from './mcp-auth.module.js';
export type {
  AuthorizationServerBaseOptions,
  AuthorizationServerByIssuer,
  AuthorizationServerByMetadata,
  AuthorizationServerByMetadataUrl,
  AuthorizationServerMetadata,
  AuthorizationServerOptions,
  AuthorizationServerType,
  IntrospectionCacheOptions,
  IntrospectionOptions,
  RemoteJwkSetOptions,
  McpAuthModuleAsyncOptions,
  McpAuthModuleExtras,
  McpAuthModuleOptions,
  McpAuthOptionsFactory,
  ProtectedResourceMetadataOptions,
  ProtectedResourceOptions,
  TranspileData,
} from './options/mcp-auth-options.interface.js';
export type {
  ResolvedAuthorizationServerOptions,
  ResolvedIntrospectionOptions,
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from './options/resolved-options.interface.js';

export type { TrustedAuthorizationServer } from './discovery/authorization-server.js';
export type { ProtectedResourceMetadata } from './resource-metadata/protected-resource-metadata.interface.js';
export {
  type TokenClaims,
  TokenVerifier,
  type VerificationContext,
  type VerificationResult,
  VerifiedToken,
  type VerifiedTokenOptions,
} from './verifier/token.verifier.js';

export { BearerException } from './challenge/bearer.exception.js';
export type { RefusalBody } from './challenge/refusal-response.js';
export { AuthInfo } from './auth-info/auth-info.decorator.js';
export { ProtectedResource } from './decorators/protected-resource.decorator.js';
export { RequireScopes } from './decorators/require-scopes.decorator.js';
export { SkipBearerAuth } from './decorators/skip-bearer-auth.decorator.js';
export { BearerAuthGuard } from './guard/bearer-auth.guard.js';
