import { type TokenClaims } from '../options/token.verifier.js';

const byRefusal = new WeakMap<object, TokenClaims>();

/**
 * Notes which claims a refusal is about, for events. Only for claims that a verifier vouches for. They are not on
 * the error, so that nothing that prints errors prints them.
 *
 * @internal
 */
export function withRefusedClaims<E extends object>(refusal: E, claims: TokenClaims): E {
  byRefusal.set(refusal, claims);
  return refusal;
}

/** The claims that a refusal is about; undefined where it came before the token was verified. @internal */
export function refusedClaims(refusal: unknown): TokenClaims | undefined {
  return refusal instanceof Error ? byRefusal.get(refusal) : undefined;
}
