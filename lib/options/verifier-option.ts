import type { Problem } from './value-rules.js';

/** An object that verifies tokens itself. */
interface VerifyingObject {
  verify(...args: unknown[]): unknown;
}

/** The shape of TokenVerifierOption. @internal */
export const isVerifier: Problem = (value) =>
  typeof value === 'function' || isVerifyingObject(value)
    ? undefined
    : 'must be a class or an object with a method "verify", or a function';

/**
 * Replaces a verifier that is an object with a function: objects among the options are copied and frozen, and a verifier must
 * not change.
 *
 * @internal
 */
export function withVerifierKept<T extends Record<string, unknown>>(options: T): T {
  const { verifier } = options;
  if (!isVerifyingObject(verifier)) return options;
  return { ...options, verifier: (...args: unknown[]) => verifier.verify(...args) };
}

function isVerifyingObject(value: unknown): value is VerifyingObject {
  return (
    typeof value === 'object' && value !== null && 'verify' in value && typeof value.verify === 'function'
  );
}
