import type { TokenClaims } from '../options/token.verifier.js';

const byRejection = new WeakMap<object, TokenClaims>();

/**
 * Notes which claims a rejection is about, for events. Only for claims that a verifier vouches for. They are not on
 * the error, so that nothing that prints errors prints them.
 *
 * @internal
 */
export function withRejectedClaims<E extends object>(rejection: E, claims: TokenClaims): E {
  byRejection.set(rejection, claims);
  return rejection;
}

/** The claims that a rejection is about; undefined where it came before the token was verified. @internal */
export function rejectedClaims(rejection: unknown): TokenClaims | undefined {
  return rejection instanceof Error ? byRejection.get(rejection) : undefined;
}
