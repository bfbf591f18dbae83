import { OFFLINE_ACCESS } from '../mcp-auth.constants.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import type { ProtectedResourceMetadata } from './protected-resource-metadata.interface.js';

/** Returns the scopes that may be advertised, each once, in order. @internal */
export function advertisedScopes(scopes: Iterable<string>): readonly string[] {
  return [...new Set(scopes)].filter((scope) => scope !== OFFLINE_ACCESS);
}

/**
 * Builds the document of one resource. Members without a value are left out. No value comes from a request.
 *
 * @param resource - the resource
 * @param issuers - its authorization servers, in the configured order
 * @param scopes - the scopes that the document lists as supported
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-2 | RFC 9728 section 2}
 * @internal
 */
export function buildResourceMetadata(
  {
    resource,
    metadata,
    dpop,
    mutualTls,
  }: Pick<ResolvedProtectedResourceOptions, 'resource' | 'metadata' | 'dpop' | 'mutualTls'>,
  issuers: readonly string[],
  scopes: readonly string[],
): ProtectedResourceMetadata {
  return {
    resource,
    authorization_servers: issuers,
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    ...(dpop && {
      dpop_signing_alg_values_supported: dpop.algorithms,
      dpop_bound_access_tokens_required: dpop.mode === 'required',
    }),
    ...(mutualTls && { tls_client_certificate_bound_access_tokens: true }),
    ...metadata,
  };
}
