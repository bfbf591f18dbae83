import type { Problem } from './value-rules.js';

/** An object that finds tenants itself. */
interface ResolvingObject {
  resolve(...args: unknown[]): unknown;
}

/** The shape of TenantResolverOption. @internal */
export const isTenantResolver: Problem = (value) =>
  typeof value === 'function' || isResolvingObject(value)
    ? undefined
    : 'must be a class or an object with a method "resolve", or a function';

/**
 * Replaces a resolver that is an object with a function: objects among the options are copied and frozen, and a resolver must
 * not change.
 *
 * @internal
 */
export function withTenantsKept<T extends Record<string, unknown>>(options: T): T {
  const { tenants } = options;
  if (!isResolvingObject(tenants)) return options;
  return { ...options, tenants: (...args: unknown[]) => tenants.resolve(...args) };
}

function isResolvingObject(value: unknown): value is ResolvingObject {
  return (
    typeof value === 'object' && value !== null && 'resolve' in value && typeof value.resolve === 'function'
  );
}
