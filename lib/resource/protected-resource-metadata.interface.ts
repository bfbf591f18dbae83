import type { ProtectedResourceMetadataOptions } from '../options/protected-resource-options.js';

/**
 * The document that a protected resource publishes about itself.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-2 | RFC 9728 section 2}
 * @publicApi
 */
export interface ProtectedResourceMetadata extends ProtectedResourceMetadataOptions {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly string[];
}
