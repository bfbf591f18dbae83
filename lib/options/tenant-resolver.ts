import type { Type } from '@nestjs/common';
import { hasMethod } from './application-object.js';
import type { TenantOptions } from './tenant-options.js';
import type { Problem } from './value-rules.js';

/**
 * Finds what belongs to a tenant. Extend it for the option `tenants` of a resource, and add the class to the providers of a
 * module.
 *
 * @publicApi
 */
export abstract class TenantResolver {
  /**
   * Returns what belongs to a tenant, or undefined (or null) if there is no such tenant.
   *
   * Answers are used for 60 seconds, and undefined for 10. Requests for a tenant share one call, which runs outside of every
   * request. At most 100 calls run at once. After 1,000 undefined or failed answers for new tenants, at most 100 of these calls
   * are made per second; further requests for tenants that were never known are answered with 503.
   *
   * @param tenant - as it is in the path: 1 to 64 letters, digits, `.`, `_`, `~` and `-`, neither `.` nor `..`. Compared exactly:
   * `Acme` and `acme` are two tenants
   * @throws anything if the answer is not known now: the request is answered with 503. So it is if the answer takes longer than
   * `verifierTimeoutMs`
   */
  abstract resolve(
    tenant: string,
  ): TenantOptions | null | undefined | Promise<TenantOptions | null | undefined>;
}

/** {@link TenantResolver.resolve} as a function. @publicApi */
export type ResolveTenant = TenantResolver['resolve'];

/** A class that finds tenants, a provider of the application. @publicApi */
export type TenantResolverClass = Type<TenantResolver>;

/**
 * A resolver as an option: a class among the providers of any module, in the default scope; an object; or a function. A class is
 * looked up when the application starts.
 *
 * @publicApi
 */
export type TenantResolverOption = TenantResolverClass | TenantResolver | ResolveTenant;

/** The shape of {@link TenantResolverOption}. @internal */
export const isTenantResolver: Problem = (value) =>
  typeof value === 'function' || hasMethod(value, 'resolve')
    ? undefined
    : 'must be a class or an object with a method "resolve", or a function';
