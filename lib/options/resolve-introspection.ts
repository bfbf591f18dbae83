import { REQUEST_TIMEOUT_MS } from '../mcp-auth.constants.js';
import { type IntrospectionCacheDto, type IntrospectionDto } from './authorization-server-options.dto.js';
import {
  type IntrospectionAuthMethod,
  type IntrospectionCacheOptions,
} from './introspection-options.interface.js';
import { type ResolvedIntrospectionOptions } from './resolved-options.interface.js';

/** Fills in the defaults, and puts the secret and the key where inspecting the options does not show them. @internal */
export function resolveIntrospection(dto: IntrospectionDto): ResolvedIntrospectionOptions {
  const { clientSecret, privateKey, bearerToken } = dto;
  const resolved = {
    clientId: dto.clientId,
    authMethod: dto.authMethod ?? defaultMethod(dto),
    endpoint: dto.endpoint,
    requireSignedResponse: dto.requireSignedResponse ?? false,
    requireExpiry: dto.requireExpiry ?? false,
    trustAnswerWithoutAudience: dto.trustAnswerWithoutAudience ?? false,
    ...requestBounds(dto),
    opaqueTokenPattern: dto.opaqueTokenPattern && new RegExp(dto.opaqueTokenPattern),
    cache: dto.cache && resolveCache(dto.cache),
  };
  return Object.defineProperties(resolved, {
    clientSecret: { value: typeof clientSecret === 'string' ? () => clientSecret : clientSecret },
    bearerToken: { value: typeof bearerToken === 'string' ? () => bearerToken : bearerToken },
    privateKey: { value: privateKey },
  }) as ResolvedIntrospectionOptions;
}

function requestBounds(
  dto: IntrospectionDto,
): Pick<ResolvedIntrospectionOptions, 'timeoutMs' | 'maxConcurrentRequests' | 'maxQueuedRequests'> {
  return {
    timeoutMs: dto.timeoutMs ?? REQUEST_TIMEOUT_MS,
    maxConcurrentRequests: dto.maxConcurrentRequests ?? 100,
    maxQueuedRequests: dto.maxQueuedRequests ?? 1000,
  };
}

function defaultMethod({ clientSecret, privateKey, bearerToken }: IntrospectionDto): IntrospectionAuthMethod {
  if (privateKey !== undefined) return 'private_key_jwt';
  if (bearerToken !== undefined) return 'bearer';
  return clientSecret === undefined ? 'none' : 'client_secret_basic';
}

function resolveCache(dto: IntrospectionCacheDto): Required<IntrospectionCacheOptions> {
  return {
    maxAgeSeconds: dto.maxAgeSeconds ?? 30,
    negativeMaxAgeSeconds: dto.negativeMaxAgeSeconds ?? 5,
    maxEntries: dto.maxEntries ?? 10_000,
  };
}
