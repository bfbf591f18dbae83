import type { ModuleRef } from '@nestjs/core';
import { McpAuthConfigError } from '../errors/config.error.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import type { ResolveTenant, TenantResolver, TenantResolverClass } from '../options/tenant-resolver.js';

/**
 * Returns the resolver of a template: that of the options, or the provider if they name a class.
 *
 * @throws {@link McpAuthConfigError} for a class that is not a provider, or has no method `resolve`
 * @internal
 */
export function tenantResolverOf(
  { tenants, resource }: ResolvedProtectedResourceOptions,
  moduleRef: ModuleRef,
): ResolveTenant | undefined {
  if (tenants === undefined || !isClass(tenants)) return tenants;
  const found = instanceOf(tenants, resource, moduleRef);
  if (typeof (found as Partial<TenantResolver>).resolve === 'function')
    return (tenant) => found.resolve(tenant);
  throw rejected(
    tenants,
    `finds the tenants of ${resource} and has no method "resolve"; extend TenantResolver`,
  );
}

function instanceOf(type: TenantResolverClass, resource: string, moduleRef: ModuleRef): TenantResolver {
  try {
    return moduleRef.get(type, { strict: false });
  } catch (cause) {
    const fix = `add ${type.name} to the providers of a module, in the default scope`;
    throw rejected(type, `finds the tenants of ${resource} and cannot be found itself; ${fix}`, { cause });
  }
}

/** Whether it is a class: its `prototype` is read-only, or, compiled to a function, has the method. */
function isClass(resolver: TenantResolverClass | ResolveTenant): resolver is TenantResolverClass {
  const prototype = Object.getOwnPropertyDescriptor(resolver, 'prototype');
  if (prototype === undefined) return false;
  return (
    prototype.writable === false ||
    typeof (prototype.value as Partial<TenantResolver> | undefined)?.resolve === 'function'
  );
}

function rejected(type: TenantResolverClass, message: string, options?: ErrorOptions): McpAuthConfigError {
  return new McpAuthConfigError([{ path: type.name, message }], options);
}
