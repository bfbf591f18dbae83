import type {
  ResolvedAllowedClientsOptions,
  ResolvedApiKeyOptions,
  ResolvedMcpAuthOptions,
} from '../options/resolved-options.interface.js';
import type {
  ResolvedIntrospectionOptions,
  TrustedAuthorizationServer,
} from '../options/trusted-authorization-server.interface.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';

/** How tokens of a server are introspected: no credentials, no address. @publicApi */
export interface IntrospectionOptionsReport extends Pick<
  ResolvedIntrospectionOptions,
  | 'clientId'
  | 'authMethod'
  | 'requireSignedResponse'
  | 'requireExpiry'
  | 'trustAnswerWithoutAudience'
  | 'timeoutMs'
  | 'maxConcurrentRequests'
  | 'maxQueuedRequests'
  | 'cache'
> {
  /** Whether `opaqueTokenPattern` is set. */
  readonly hasTokenPattern: boolean;
}

/** Options of one authorization server of a resource, in force. @publicApi */
export interface AuthorizationServerOptionsReport {
  readonly issuer: string;
  readonly mode: 'jwt' | 'introspection' | 'auto';
  readonly profile: 'lenient' | 'rfc9068';
  readonly algorithms: readonly string[];
  readonly requiredClaims: readonly string[];
  readonly maxTokenAgeSeconds: number | undefined;
  /** Where its keys come from. */
  readonly keys: 'fetched' | 'configured' | 'function';
  readonly keysMaxAgeSeconds: number;
  readonly keysStaleMaxAgeSeconds: number;
  readonly keysCooldownSeconds: number;
  readonly introspection: IntrospectionOptionsReport | undefined;
}

/** How API keys are used at a resource: no verifier. @publicApi */
export type ApiKeyOptionsReport = Pick<ResolvedApiKeyOptions, 'header' | 'issuer'>;

/** Options of one resource, in force. @publicApi */
export interface ResourceOptionsReport {
  readonly resource: string;
  readonly name: string | undefined;
  readonly authorizationServers: readonly AuthorizationServerOptionsReport[];
  readonly hasAuthorizationServerResolver: boolean;
  /** Which keys are accepted beside tokens; undefined if none are. */
  readonly apiKeys: ApiKeyOptionsReport | undefined;
  /** Undefined if every client may use the resource. */
  readonly allowedClients: ResolvedAllowedClientsOptions | undefined;
  /** Whether the option `policy` is set. Handlers may have policies of their own. */
  readonly hasPolicy: boolean;
  /** Whether the package verifies tokens, or a verifier of the application: that of the option, or the provider of `TokenVerifier`. */
  readonly verifier: 'package' | 'application';
  readonly audiences: readonly string[];
  readonly audienceMatch: 'exact' | 'hierarchical';
  readonly rejectMultipleAudiences: boolean;
  readonly requiredScopes: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[] | undefined;
  readonly allowAnonymous: boolean;
  readonly anonymousMethods: readonly string[];
}

/** How sessions are bound: no secrets. @publicApi */
export interface SessionBindingReport {
  readonly maxSessions: number;
  readonly maxIdleSeconds: number;
  /** Whether session ids are sealed. Then the two limits have no effect. */
  readonly hasSecrets: boolean;
}

/** The options in force, with their defaults. Functions are reported as set or not. @publicApi */
export interface OptionsReport extends Pick<
  ResolvedMcpAuthOptions,
  | 'clockToleranceSeconds'
  | 'discovery'
  | 'onDiscoveryFailure'
  | 'discoveryTimeoutMs'
  | 'metadataRefreshSeconds'
  | 'maxTokenLength'
  | 'verifierTimeoutMs'
  | 'tokenCache'
  | 'earlyAuthentication'
  | 'endStreamsAtExpiry'
  | 'showErrorDetails'
  | 'errorBody'
  | 'errorUri'
  | 'errorPage'
  | 'listPolicy'
  | 'toolSecuritySchemes'
  | 'undeclaredTools'
  | 'undecoratedTools'
  | 'maxOperations'
> {
  readonly resources: readonly ResourceOptionsReport[];
  readonly sessionBinding: SessionBindingReport | undefined;
  readonly toolChallenge: 'http' | 'result' | 'function';
  readonly stdio: 'deny' | 'allow' | 'caller';
  readonly hasScopeHierarchy: boolean;
  readonly hasIsRevoked: boolean;
  readonly hasOnUnauthorized: boolean;
}

/** Returns whether the package verifies the tokens of a resource. */
type VerifiesItself = (resource: ProtectedResource) => boolean;

/**
 * Returns the options in force. It names each option that it shows, so that a new one with a secret is not shown.
 *
 * @internal
 */
export function reportOptions(
  options: ResolvedMcpAuthOptions,
  resources: readonly ProtectedResource[],
  verifiesItself: VerifiesItself,
): OptionsReport {
  const { toolChallenge, stdio } = options;
  return {
    resources: resources.map((resource) => reportResource(resource, verifiesItself)),
    clockToleranceSeconds: options.clockToleranceSeconds,
    discovery: options.discovery,
    onDiscoveryFailure: options.onDiscoveryFailure,
    discoveryTimeoutMs: options.discoveryTimeoutMs,
    metadataRefreshSeconds: options.metadataRefreshSeconds,
    maxTokenLength: options.maxTokenLength,
    verifierTimeoutMs: options.verifierTimeoutMs,
    tokenCache: options.tokenCache,
    sessionBinding: options.sessionBinding && reportSessionBinding(options.sessionBinding),
    earlyAuthentication: options.earlyAuthentication,
    endStreamsAtExpiry: options.endStreamsAtExpiry,
    showErrorDetails: options.showErrorDetails,
    errorBody: options.errorBody,
    errorUri: options.errorUri,
    errorPage: options.errorPage,
    listPolicy: options.listPolicy,
    toolSecuritySchemes: options.toolSecuritySchemes,
    undeclaredTools: options.undeclaredTools,
    undecoratedTools: options.undecoratedTools,
    maxOperations: options.maxOperations,
    toolChallenge: typeof toolChallenge === 'function' ? 'function' : toolChallenge,
    stdio: typeof stdio === 'object' ? 'caller' : stdio,
    hasScopeHierarchy: options.scopeHierarchy !== undefined,
    hasIsRevoked: options.isRevoked !== undefined,
    hasOnUnauthorized: options.onUnauthorized !== undefined,
  };
}

function reportSessionBinding({
  maxSessions,
  maxIdleSeconds,
  secrets,
}: NonNullable<ResolvedMcpAuthOptions['sessionBinding']>): SessionBindingReport {
  return { maxSessions, maxIdleSeconds, hasSecrets: secrets !== undefined };
}

function reportResource(resource: ProtectedResource, verifiesItself: VerifiesItself): ResourceOptionsReport {
  const { options, servers } = resource;
  return {
    resource: options.resource,
    name: options.name,
    authorizationServers: [...servers.values()].map(reportServer),
    hasAuthorizationServerResolver: options.authorizationServerResolver !== undefined,
    apiKeys: options.apiKeys && { header: options.apiKeys.header, issuer: options.apiKeys.issuer },
    allowedClients: options.allowedClients,
    hasPolicy: options.policy !== undefined,
    verifier: verifiesItself(resource) ? 'package' : 'application',
    audiences: options.audiences,
    audienceMatch: options.audienceMatch,
    rejectMultipleAudiences: options.rejectMultipleAudiences,
    requiredScopes: options.requiredScopes,
    allowedOrigins: options.allowedOrigins,
    allowedHosts: options.allowedHosts,
    allowAnonymous: options.allowAnonymous,
    anonymousMethods: options.anonymousMethods,
  };
}

function reportServer({ issuer, options }: TrustedAuthorizationServer): AuthorizationServerOptionsReport {
  const { jwks, remoteJwkSet, introspection } = options;
  const given = typeof jwks === 'function' ? 'function' : 'configured';
  return {
    issuer,
    mode: options.mode,
    profile: options.profile,
    algorithms: options.algorithms,
    requiredClaims: options.requiredClaims,
    maxTokenAgeSeconds: options.maxTokenAgeSeconds,
    keys: jwks === undefined ? 'fetched' : given,
    keysMaxAgeSeconds: remoteJwkSet.cacheMaxAgeSeconds,
    keysStaleMaxAgeSeconds: remoteJwkSet.staleMaxAgeSeconds,
    keysCooldownSeconds: remoteJwkSet.cooldownSeconds,
    introspection: introspection && reportIntrospection(introspection),
  };
}

function reportIntrospection(options: ResolvedIntrospectionOptions): IntrospectionOptionsReport {
  return {
    clientId: options.clientId,
    authMethod: options.authMethod,
    requireSignedResponse: options.requireSignedResponse,
    requireExpiry: options.requireExpiry,
    trustAnswerWithoutAudience: options.trustAnswerWithoutAudience,
    timeoutMs: options.timeoutMs,
    maxConcurrentRequests: options.maxConcurrentRequests,
    maxQueuedRequests: options.maxQueuedRequests,
    cache: options.cache,
    hasTokenPattern: options.opaqueTokenPattern !== undefined,
  };
}
