import type { AuthorizationServerOptions } from './authorization-server-options.js';
import { Check, CheckOptional } from './check.decorator.js';
import { isAllowedOrigins } from './origin-rules.js';
import type { ProtectedResourceMetadataOptions } from './protected-resource-options.js';
import { isResourceDocument } from './resource-document-rules.js';
import { isListOf, isNames } from './value-rules.js';

/** What belongs to one tenant of a resource. All else is as the options of the resource say. @publicApi */
export class TenantOptions {
  /**
   * The authorization servers of the tenant, as in `authorizationServers` of a resource. Each must have an `issuer`, or a
   * `metadata` that names it. Nothing is fetched from them before the first token of the tenant.
   */
  @Check(isListOf(() => undefined, { nonEmpty: true }))
  readonly authorizationServers!: readonly (string | AuthorizationServerOptions)[];

  /**
   * Audiences that are accepted in place of the tenant's resource. If two tenants have a common authorization server, they must
   * have no audience in common: a token with it would open both. The package does not check that. Never empty.
   * `trustAnswerWithoutAudience` of such a server has the same effect, and so have verifiers that vouch for the audience.
   *
   * @defaultValue the resource of the tenant
   */
  @CheckOptional(isNames) readonly audience?: string | readonly string[];

  /** Origins whose web pages may send requests to this tenant, in addition to those of the resource. @defaultValue none */
  @CheckOptional(isAllowedOrigins) readonly allowedOrigins?: readonly string[] = [];

  /** Further members of the tenant's RFC 9728 document, in addition to those of the resource. @defaultValue none */
  @CheckOptional(isResourceDocument) readonly metadata?: ProtectedResourceMetadataOptions = {};
}
