import { Injectable } from '@nestjs/common';
import { CredentialsRejectedError } from '../errors/rejection.errors.js';
import { RequestContext } from '../request/request-context.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { TenantResources } from '../resource/tenant-resources.js';

/** The part of a platform's request that names the tenant. */
interface TenantRequest {
  /** As received. */
  readonly originalUrl?: string | undefined;
  readonly url?: string | undefined;
}

/** A request at a route of a template. */
interface TenantEntry<T> {
  /** Undefined for a handler within another request, which was not authenticated for a tenant of the template. */
  readonly request: (TenantRequest & object) | undefined;
  readonly check: (resource: ProtectedResource) => T | Promise<T>;
  /** Returns what is thrown for a request without a tenant. */
  readonly reject: (failure: unknown) => Error;
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

  /**
   * Checks a request for the resource of its tenant.
   *
   * @throws what `reject` of the entry returns, for a request without a tenant; the promise rejects with the same
   */
  check<T>(template: ProtectedResource, { request, check, reject }: TenantEntry<T>): T | Promise<T> {
    const rejected = (failure: unknown): never => {
      throw reject(failure);
    };
    let found: ProtectedResource | Promise<ProtectedResource>;
    try {
      if (!request) throw new CredentialsRejectedError('missing_token');
      found = this.resourceOf(RequestContext.of(request), request, template);
    } catch (failure) {
      return rejected(failure);
    }
    return found instanceof Promise ? found.then(check, rejected) : check(found);
  }
}

/**
 * Returns the resource that a request was authenticated for, if it is that of a tenant of a template.
 *
 * @internal
 */
export function ofTenant(
  request: object | undefined,
  template: ProtectedResource,
): ProtectedResource | undefined {
  const resource = RequestContext.find(request)?.resource;
  return resource?.tenant?.template === template ? resource : undefined;
}
