import type { TokenClaims } from '../options/token.verifier.js';

const byRejection = new WeakMap<object, TokenClaims>();

/**
 * Stores the claims of a rejected token, for events. Use it only for verified claims. They are not a property of the
 * error, so that printing the error does not print them.
 *
 * @internal
 */
export function withRejectedClaims<E extends object>(rejection: E, claims: TokenClaims): E {
  byRejection.set(rejection, claims);
  return rejection;
}

/** Returns the claims of a rejected token; undefined if it was rejected before it was verified. @internal */
export function rejectedClaims(rejection: unknown): TokenClaims | undefined {
  return rejection instanceof Error ? byRejection.get(rejection) : undefined;
}
