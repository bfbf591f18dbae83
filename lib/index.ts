export {
  type AuthorizationServerFailure,
  BootstrapDiscoveryError,
  DiscoveryError,
  type DiscoveryFailure,
} from './errors/discovery.error.js';
export { DownstreamTokenError, type DownstreamTokenFailure } from './errors/downstream-token.error.js';
export { type ConfigProblem, McpAuthConfigError } from './errors/config.error.js';
export type { RejectionReason } from './errors/rejection-reason.js';
export { McpAuthError, type McpAuthErrorCode } from './errors/mcp-auth.error.js';
export {
  type AccessDenial,
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  type CredentialsRejection,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  type MessageRejection,
  MessageRejectedError,
  type NeededAuthentication,
  type ProofRejection,
  ProofRejectedError,
  type RequestOriginRejection,
  RequestOriginRejectedError,
  TenantRejectedError,
  type TenantRejection,
  type TokenRejection,
  TokenRejectedError,
} from './errors/rejection.errors.js';

export { LIFECYCLE_METHODS } from './options/anonymous-methods.js';
export { MCP_AUTH_OPTIONS } from './mcp-auth.constants.js';
export { McpAuthModule } from './mcp-auth.module.js';
export type {
  AnyAuthorizationServerOptions,
  AuthorizationServerBaseOptions,
  AuthorizationServerByIssuer,
  AuthorizationServerByMetadata,
  AuthorizationServerByMetadataUrl,
  AuthorizationServerMetadata,
  AuthorizationServerOptions,
  AuthorizationServerType,
  ClaimNames,
  RemoteJwkSetOptions,
  TranspileData,
} from './options/authorization-server-options.js';
export type { ResolvedClaimNames } from './options/claim-names.js';
export type { AllowedClientsOptions } from './options/allowed-clients-options.js';
export type { ApiKeyOptions } from './options/api-key-options.js';
export type { DpopNonceOptions, DpopOptions } from './options/dpop-options.js';
export type {
  IntrospectionAuthMethod,
  IntrospectionCacheOptions,
  IntrospectionOptions,
} from './options/introspection-options.js';
export type {
  McpAuthModuleAsyncOptions,
  McpAuthModuleExtras,
  McpAuthModuleOptions,
  McpAuthOptionsFactory,
  RevocationQuery,
  SessionBindingOptions,
  StdioCaller,
  TokenCacheOptions,
  UnauthorizedRequest,
} from './options/mcp-auth-options.js';
export type {
  CertificateHeaderFormat,
  CertificateHeaderOptions,
  MutualTlsOptions,
} from './options/mutual-tls-options.js';
export { toolChallengeForOpenAi } from './options/openai-clients.js';
export type { ToolChallengeForm, ToolChallengeRequest } from './options/tool-challenge-options.js';
export type {
  ProtectedResourceMetadataOptions,
  ProtectedResourceOptions,
} from './options/protected-resource-options.js';
export type { TenantOptions } from './options/tenant-options.js';
export {
  type ResolveTenant,
  TenantResolver,
  type TenantResolverClass,
  type TenantResolverOption,
} from './options/tenant-resolver.js';
export { MemoryRevocationList, type MemoryRevocationListOptions } from './options/memory-revocation.list.js';
export type {
  Revocation,
  RevocationList,
  RevokedPrincipal,
  RevokedToken,
} from './options/revocation-list.js';
export type { ReplayStore } from './options/replay-store.js';
export type { OneTimeTokenOptions } from './options/replay-store-options.js';
export type { TokenExchangeAuthMethod, TokenExchangeOptions } from './options/token-exchange-options.js';
export type { RedactOptions } from './options/redact-options.js';
export {
  AuthorizationPolicy,
  type Policy,
  type PolicyCall,
  type PolicyClass,
  type PolicyContext,
  type PolicyFunction,
  type ToolHints,
} from './options/authorization-policy.js';
export type { RequestUserOptions, VerifiedCaller } from './options/request-user-options.js';
export type {
  ResolvedAllowedClientsOptions,
  ResolvedApiKeyOptions,
  ResolvedDpopOptions,
  ResolvedMcpAuthOptions,
  ResolvedMutualTlsOptions,
  ResolvedProtectedResourceOptions,
} from './options/resolved-options.interface.js';
export type {
  Resolved,
  ResolvedAuthorizationServerOptions,
  ResolvedIntrospectionOptions,
  ResolvedTokenExchangeOptions,
  TrustedAuthorizationServer,
} from './options/trusted-authorization-server.interface.js';

export type {
  AccessDeniedEvent,
  AccessGrantedEvent,
  CompletedOperation,
  DiscoveryFailedEvent,
  EventOperation,
  EventPrincipal,
  KeysRefreshedEvent,
  McpAuthEvent,
  McpAuthEventType,
  MetadataRefreshedEvent,
  RequestCompletedEvent,
  RequestEvent,
  ServerDocument,
  StaleUsedEvent,
} from './events/mcp-auth-event.interface.js';
export { McpAuthEvents } from './events/mcp-auth-events.js';
export { type AuthenticationTrace, type ServerTrace, TraceFailure } from './events/traces.js';

export {
  AuthorizationServerResolver,
  type AuthorizationServerResolverClass,
  type AuthorizationServerResolverOption,
  type ResolveAuthorizationServer,
  type ResolvedIssuer,
} from './options/authorization-server-resolver.js';
export type { ProtectedResourceMetadata } from './resource/protected-resource-metadata.interface.js';
export { firstOf, type VerifierOfFirst } from './token/first-of.js';
export { claimsFromAuthInfo } from './token/auth-info-claims.js';
export {
  type TokenClaims,
  TokenVerifier,
  type TokenVerifierClass,
  type TokenVerifierOption,
  type VerificationContext,
  type VerificationResult,
  type VerifiedAuthInfo,
  VerifiedToken,
  type VerifiedTokenOptions,
  type VerifyToken,
} from './options/token.verifier.js';

export { BearerException } from './rejection/bearer.exception.js';
export type { JsonRpcRejectionBody, RejectionBody } from './rejection/rejection-body.js';
export type { ToolChallengeBody } from './rejection/tool-challenge.js';
export type { TokenActor } from './policy/token-actor.js';
export type { DownstreamTarget } from './downstream/downstream-target.js';
export type { DownstreamToken } from './downstream/downstream-token.js';
export { DownstreamTokens } from './downstream/downstream-tokens.js';
export { AuthInfo } from './request/auth-info.decorator.js';
export { AuthContext } from './request/auth-context.js';
export { principalKey } from './request/principal-key.js';
export type { InvalidTokenErrorClass } from './request/invalid-token.error.js';
export {
  ResourceTokenVerifier,
  type ResourceTokenVerifierOptions,
} from './request/resource-token.verifier.js';
export { McpAuthStreams } from './response/mcp-auth-streams.js';
export { AllowAnonymous } from './decorators/allow-anonymous.decorator.js';
export { NoFurtherScopes } from './decorators/no-further-scopes.decorator.js';
export { ProtectedResource } from './decorators/protected-resource.decorator.js';
export { RequirePolicy } from './decorators/require-policy.decorator.js';
export { RequireAuthentication } from './decorators/require-authentication.decorator.js';
export { RequireScopes } from './decorators/require-scopes.decorator.js';
export { SkipBearerAuth } from './decorators/skip-bearer-auth.decorator.js';
export type { AuthenticationRequirement } from './mcp/authentication-requirement.js';
export { type McpDeclaration, McpHandlerSource } from './mcp/handler-source.js';
export type { McpOperation, McpOperationKind } from './mcp/operations.js';
export type { AnyOfScopes, ScopedCall, ScopeRequirement, ScopesOfCall } from './mcp/scope-requirement.js';
export { BearerAuthGuard } from './guard/bearer-auth.guard.js';
export { BearerAuthMiddleware } from './guard/bearer-auth.middleware.js';

export type {
  AuthorizationServerReport,
  AuthorizationServerStatus,
  DynamicAuthorizationServersReport,
} from './authorization-server/server-report.js';
export { McpAuthDiagnostics } from './diagnostics/mcp-auth-diagnostics.js';
export type {
  IntrospectingServer,
  IntrospectionCacheReport,
  IntrospectionReport,
  McpAuthReport,
} from './diagnostics/mcp-auth-report.interface.js';
export type { TenantsReport } from './resource/tenant-resources.js';
export type {
  ApiKeyOptionsReport,
  AuthorizationServerOptionsReport,
  IntrospectionOptionsReport,
  OptionsReport,
  ResourceOptionsReport,
  SessionBindingReport,
} from './diagnostics/options-report.js';
export type {
  ExplainOptions,
  TokenCheck,
  TokenCheckName,
  TokenCheckOutcome,
  TokenExplanation,
  TokenTimes,
} from './diagnostics/token-explanation.interface.js';
export type { ReplayStoreReport } from './request/memory-replay.store.js';
export type { CacheReport } from './token/cache-report.interface.js';
export type {
  ComplianceCode,
  ComplianceFinding,
  ComplianceReport,
  ComplianceSuccess,
} from './authorization-server/mcp-compliance.js';
