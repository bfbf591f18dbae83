import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../request/request-context.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { TenantResources } from '../resource/tenant-resources.js';

/** The part of a platform's request that names the tenant. */
interface TenantRequest {
  /** As received. */
  readonly originalUrl?: string | undefined;
  readonly url?: string | undefined;
}

/**
 * Finds the resource of the tenant that a request is for, once for each request.
 *
 * @internal
 */
@Injectable()
export class TenantRequests {
  constructor(private readonly tenants: TenantResources) {}

  /**
   * @param template - the resource of a route or a path, whose identifier is a template
   * @returns a promise only if the resolver must be called
   * @throws as `TenantResources.find`; the promise rejects with the same
   */
  resourceOf(
    context: RequestContext,
    { originalUrl, url = '' }: TenantRequest,
    template: ProtectedResource,
  ): ProtectedResource | Promise<ProtectedResource> {
    const known = context.tenantResource;
    if (known?.tenant?.template === template) return known;
    const found = this.tenants.find(template, originalUrl ?? url);
    if (!(found instanceof Promise)) return (context.tenantResource = found);
    return found.then((later) => (context.tenantResource = later));
  }
}
