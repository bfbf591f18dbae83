import { IS_BEARER_AUTH_GUARD } from '../mcp-auth.constants.js';

/** Whether a guard is the guard of this package or one that extends it, as a class or as an instance. @internal */
export function isBearerAuthGuard(guard: unknown): boolean {
  const type: unknown = typeof guard === 'function' ? guard : (guard as object | null)?.constructor;
  return typeof type === 'function' && Reflect.getMetadata(IS_BEARER_AUTH_GUARD, type) === true;
}
