import { REQUEST_TIMEOUT_MS } from '../mcp-auth.constants.js';
import { type IntrospectionCacheDto, type IntrospectionDto } from './mcp-auth-options.dto.js';
import { type IntrospectionCacheOptions } from './introspection-options.interface.js';
import { type ResolvedIntrospectionOptions } from './resolved-options.interface.js';

/** Fills in the defaults, and puts the secret and the key where inspecting the options does not show them. @internal */
export function resolveIntrospection(dto: IntrospectionDto): ResolvedIntrospectionOptions {
  const { clientSecret, privateKey } = dto;
  const resolved = {
    clientId: dto.clientId,
    authMethod: dto.authMethod ?? defaultMethod(dto),
    endpoint: dto.endpoint,
    requireSignedResponse: dto.requireSignedResponse ?? false,
    requireExpiry: dto.requireExpiry ?? false,
    timeoutMs: dto.timeoutMs ?? REQUEST_TIMEOUT_MS,
    cache: dto.cache && resolveCache(dto.cache),
  };
  return Object.defineProperties(resolved, {
    clientSecret: { value: typeof clientSecret === 'string' ? () => clientSecret : clientSecret },
    privateKey: { value: privateKey },
  }) as ResolvedIntrospectionOptions;
}

function defaultMethod({
  clientSecret,
  privateKey,
}: IntrospectionDto): ResolvedIntrospectionOptions['authMethod'] {
  if (privateKey !== undefined) return 'private_key_jwt';
  return clientSecret === undefined ? 'none' : 'client_secret_basic';
}

function resolveCache(dto: IntrospectionCacheDto): Required<IntrospectionCacheOptions> {
  return {
    maxAgeSeconds: dto.maxAgeSeconds ?? 30,
    negativeMaxAgeSeconds: dto.negativeMaxAgeSeconds ?? 5,
    maxEntries: dto.maxEntries ?? 10_000,
  };
}
