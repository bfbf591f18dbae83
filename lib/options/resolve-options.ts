import { type ConfigProblem, McpAuthConfigError } from '../errors/config.error.js';
import { DEFAULT_MAX_TOKEN_LENGTH, REQUEST_TIMEOUT_MS } from '../mcp-auth.constants.js';
import { SIGNATURE_ALGORITHMS } from './algorithms.js';
import { resolveClaimNames } from './claim-names.js';
import { crossProblems } from './cross-checks.js';
import { type AuthorizationServerDto, RemoteJwkSetDto } from './authorization-server-options.dto.js';
import {
  type McpAuthModuleOptionsDto,
  type ProtectedResourceDto,
  type SessionBindingDto,
  type TokenCacheDto,
} from './mcp-auth-options.dto.js';
import { type RemoteJwkSetOptions } from './authorization-server-options.interface.js';
import { resolveIntrospection } from './resolve-introspection.js';
import { resolveAllowedHosts, resolveAllowedOrigins } from './resolve-origins.js';
import { closure } from './scope-hierarchy.js';
import { checkShape, normaliseOptions } from './option-problems.js';
import {
  type ResolvedAuthorizationServerOptions,
  type ResolvedMcpAuthOptions,
  type ResolvedProtectedResourceOptions,
} from './resolved-options.interface.js';

/**
 * Checks what an application gave, fills in the defaults and freezes the result. The input is copied:
 * changing it later changes nothing.
 *
 * @throws {@link McpAuthConfigError} listing every problem with the option's path, what it got and the fix
 * @internal
 */
export function resolveOptions(given: unknown): ResolvedMcpAuthOptions {
  if (typeof given !== 'object' || given === null) {
    throw refused([
      { path: 'options', message: `must be an object; got ${given === null ? 'null' : typeof given}` },
    ]);
  }
  const { dto, problems } = checkShape(normaliseOptions(given as Record<string, unknown>));
  if (problems.length > 0) throw refused(problems);
  const crossed = crossProblems(dto);
  if (crossed.length > 0) throw refused(crossed);
  return deepFreeze(withDefaults(dto));
}

function refused(problems: readonly ConfigProblem[]): McpAuthConfigError {
  return new McpAuthConfigError(problems);
}

function withDefaults(dto: McpAuthModuleOptionsDto): ResolvedMcpAuthOptions {
  return {
    resources: dto.resources.map((resource) => resolveResource(resource, dto.verifier)),
    clockToleranceSeconds: dto.clockToleranceSeconds ?? 5,
    ...discoveryDefaults(dto),
    ...documentDefaults(dto),
    maxTokenLength: dto.maxTokenLength ?? DEFAULT_MAX_TOKEN_LENGTH,
    verifierTimeoutMs: dto.verifierTimeoutMs ?? 10_000,
    tokenCache: resolveTokenCache(dto.tokenCache),
    sessionBinding: resolveSessionBinding(dto.sessionBinding),
    earlyAuthentication: dto.earlyAuthentication ?? false,
    endStreamsAtExpiry: dto.endStreamsAtExpiry ?? true,
    ...operationDefaults(dto),
    ...refusalDefaults(dto),
    isRevoked: dto.isRevoked as ResolvedMcpAuthOptions['isRevoked'],
    onUnauthorized: dto.onUnauthorized as ResolvedMcpAuthOptions['onUnauthorized'],
    fetch: dto.fetch ?? ((...args) => globalThis.fetch(...args)),
    now: dto.now ?? (() => new Date()),
  };
}

function discoveryDefaults(
  dto: McpAuthModuleOptionsDto,
): Pick<
  ResolvedMcpAuthOptions,
  'discoveryTimeoutMs' | 'discovery' | 'onDiscoveryFailure' | 'metadataRefreshSeconds'
> {
  return {
    discoveryTimeoutMs: dto.discoveryTimeoutMs ?? 15_000,
    discovery: dto.discovery ?? 'bootstrap',
    onDiscoveryFailure: dto.onDiscoveryFailure ?? 'fail',
    metadataRefreshSeconds: dto.metadataRefreshSeconds ?? 3600,
  };
}

function documentDefaults(
  dto: McpAuthModuleOptionsDto,
): Pick<
  ResolvedMcpAuthOptions,
  'metadataMaxAgeSeconds' | 'serveRootAlias' | 'legacyAuthorizationServerMetadata'
> {
  return {
    metadataMaxAgeSeconds: dto.metadataMaxAgeSeconds ?? 3600,
    serveRootAlias: dto.serveRootAlias ?? false,
    legacyAuthorizationServerMetadata: dto.legacyAuthorizationServerMetadata ?? false,
  };
}

function operationDefaults(
  dto: McpAuthModuleOptionsDto,
): Pick<
  ResolvedMcpAuthOptions,
  'scopeHierarchy' | 'undeclaredTools' | 'undecoratedTools' | 'maxOperations' | 'listPolicy' | 'stdio'
> {
  return {
    scopeHierarchy: dto.scopeHierarchy && closure(dto.scopeHierarchy),
    undeclaredTools: dto.undeclaredTools,
    undecoratedTools: dto.undecoratedTools ?? 'allow',
    maxOperations: dto.maxOperations ?? 100,
    listPolicy: dto.listPolicy ?? 'show',
    stdio: resolveStdio(dto.stdio),
  };
}

function refusalDefaults(
  dto: McpAuthModuleOptionsDto,
): Pick<ResolvedMcpAuthOptions, 'showErrorDetails' | 'errorBody' | 'errorUri'> {
  return {
    showErrorDetails: dto.showErrorDetails ?? false,
    errorBody: dto.errorBody ?? 'oauth',
    errorUri: dto.errorUri,
  };
}

function resolveResource(dto: ProtectedResourceDto, shared: unknown): ResolvedProtectedResourceOptions {
  const verifier = (dto.verifier ?? shared) as ResolvedProtectedResourceOptions['verifier'];
  return {
    name: dto.name,
    resource: dto.resource,
    authorizationServers: dto.authorizationServers.map((server) =>
      resolveServer(server, verifier === undefined),
    ),
    requiredScopes: [...new Set(dto.requiredScopes)],
    scopesSupported: dto.scopesSupported && [...new Set(dto.scopesSupported)],
    audiences: [dto.audience ?? dto.resource].flat(),
    audienceMatch: dto.audienceMatch ?? 'exact',
    refuseMultipleAudiences: dto.refuseMultipleAudiences ?? false,
    allowedOrigins: resolveAllowedOrigins(dto.resource, dto.allowedOrigins),
    allowedHosts: resolveAllowedHosts(dto.resource, dto.allowedHosts),
    verifier,
    privateIssuers: [...new Set(dto.privateIssuers)],
    allowAnonymous: dto.allowAnonymous ?? false,
    metadata: { ...dto.metadata },
  };
}

function resolveServer(dto: AuthorizationServerDto, needsKeys: boolean): ResolvedAuthorizationServerOptions {
  return {
    issuer: dto.issuer,
    type: dto.type ?? 'auto',
    metadataUrl: dto.metadataUrl,
    trustDocumentIssuer: dto.trustDocumentIssuer ?? false,
    metadata: dto.metadata,
    transpileData: dto.transpileData as ResolvedAuthorizationServerOptions['transpileData'],
    jwks: dto.jwks as ResolvedAuthorizationServerOptions['jwks'],
    remoteJwkSet: resolveRemoteJwkSet(dto.remoteJwkSet ?? new RemoteJwkSetDto()),
    mode: dto.mode ?? (dto.introspection ? 'auto' : 'jwt'),
    introspection: dto.introspection && resolveIntrospection(dto.introspection),
    algorithms: dto.algorithms ?? SIGNATURE_ALGORITHMS,
    profile: dto.profile ?? 'lenient',
    maxTokenAgeSeconds: dto.maxTokenAgeSeconds,
    requiredClaims: [...new Set(dto.requiredClaims)],
    claimNames: resolveClaimNames(dto.claimNames),
    mcpCompliance: dto.mcpCompliance ?? 'warn',
    needsKeys,
  };
}

function resolveRemoteJwkSet(dto: RemoteJwkSetDto): Required<RemoteJwkSetOptions> {
  return {
    timeoutMs: dto.timeoutMs ?? REQUEST_TIMEOUT_MS,
    cooldownSeconds: dto.cooldownSeconds ?? 30,
    cacheMaxAgeSeconds: dto.cacheMaxAgeSeconds ?? 600,
    staleMaxAgeSeconds: dto.staleMaxAgeSeconds ?? 3600,
    headers: { ...dto.headers },
  };
}

function resolveTokenCache(dto: TokenCacheDto | false | undefined): ResolvedMcpAuthOptions['tokenCache'] {
  if (dto === false) return undefined;
  return { maxEntries: dto?.maxEntries ?? 10_000, maxAgeSeconds: dto?.maxAgeSeconds ?? 60 };
}

function resolveSessionBinding(
  dto: SessionBindingDto | false | undefined,
): ResolvedMcpAuthOptions['sessionBinding'] {
  if (dto === false) return undefined;
  return { maxSessions: dto?.maxSessions ?? 10_000, maxIdleSeconds: dto?.maxIdleSeconds ?? 86_400 };
}

function resolveStdio(stdio: McpAuthModuleOptionsDto['stdio'] = 'deny'): ResolvedMcpAuthOptions['stdio'] {
  if (typeof stdio === 'string') return stdio;
  const { subject, clientId = '', scopes } = stdio;
  return { subject, clientId, scopes: [...new Set(scopes)] };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
