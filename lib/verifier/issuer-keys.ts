import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import { type KnownAuthorizationServer } from '../discovery/authorization-server.registry.js';
import { fetchJson, untilAborted } from '../discovery/fetch-json.js';
import { DiscoveryError } from '../errors/discovery.error.js';
import { MAX_JWKS_BYTES, REQUEST_TIMEOUT_MS } from '../mcp-auth.constants.js';
import { usableKeys } from './usable-keys.js';

/** What key loading needs from outside. @internal */
export interface KeySourceContext {
  readonly fetch: typeof fetch;
  /** Told about members of a key set that cannot be used. */
  readonly onSkipped: (count: number) => void;
}

/** Stands for the address of keys that a function gives; nothing is ever requested from it. */
const NOWHERE = new URL('https://keys.invalid/');

/**
 * The keys of one authorization server, chosen by a token's header: fixed ones from the options, or loaded
 * and kept by jose, which asks at most once per 30 seconds for an unknown key id.
 *
 * @internal
 */
export function issuerKeys(
  { options, metadata }: KnownAuthorizationServer,
  context: KeySourceContext,
): JWTVerifyGetKey {
  const { jwks } = options;
  if (typeof jwks === 'object') return createLocalJWKSet(checked(jwks, 'the option "jwks"', context));
  if (typeof jwks === 'function') {
    const load = async (): Promise<JSONWebKeySet> => {
      const limit = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      return checked(await untilAborted(limit, jwks()), 'the function "jwks"', context);
    };
    return createRemoteJWKSet(NOWHERE, { [customFetch]: responding(load) });
  }
  const url = metadata.jwks_uri ?? '';
  const limits = { fetch: context.fetch, timeoutMs: REQUEST_TIMEOUT_MS, maxBytes: MAX_JWKS_BYTES };
  const load = async (): Promise<JSONWebKeySet> => checked(await fetchJson(url, limits), url, context);
  return createRemoteJWKSet(new URL(url), { [customFetch]: responding(load) });
}

/** Gives jose what was loaded and checked, in the form that it expects. */
function responding(load: () => Promise<JSONWebKeySet>): () => Promise<Response> {
  return async () => {
    try {
      return Response.json(await load());
    } catch (error) {
      if (error instanceof DiscoveryError) throw error;
      throw new DiscoveryError('unreachable', undefined, 'the function "jwks" threw', { cause: error });
    }
  };
}

function checked(document: unknown, source: string, { onSkipped }: KeySourceContext): JSONWebKeySet {
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new DiscoveryError('metadata_invalid', source, 'is not a JWK Set');
  const { jwks, skipped } = usableKeys(keys);
  if (skipped > 0) onSkipped(skipped);
  return jwks;
}
