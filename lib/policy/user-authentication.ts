import type { TokenClaims } from '../options/token.verifier.js';
import type { ValidationClock } from './time-claims.js';

/** How the user must have authenticated for one operation: what all decorators and declarations ask for together. @internal */
export interface AuthenticationNeed {
  /** Lists of authentication context classes, each in preference order. The token's `acr` must be in every list. */
  readonly acr: readonly (readonly string[])[];
  /** How long ago the user may have authenticated; undefined if that does not matter. */
  readonly maxAgeSeconds: number | undefined;
}

/** Returns two needs as one: both must be satisfied. @internal */
export function joinNeeds(
  one: AuthenticationNeed | undefined,
  other: AuthenticationNeed | undefined,
): AuthenticationNeed | undefined {
  if (!one || !other) return one ?? other;
  const ages = [one.maxAgeSeconds, other.maxAgeSeconds].filter((age) => age !== undefined);
  return {
    acr: [...one.acr, ...other.acr],
    maxAgeSeconds: ages.length === 0 ? undefined : Math.min(...ages),
  };
}

/**
 * Whether the user has authenticated as an operation needs, by the claims `acr` and `auth_time` of a token.
 *
 * - `acr` must be one of the values, compared exactly. A claim that is no string is none of them.
 * - `auth_time` must be at most the maximum age ago. A missing claim, or one that is not a time, counts as too old. So does a
 *   time in the future: the clocks differ too much to tell the age.
 *
 * @param clock - the current time, and how far the issuer's clock may be off in either direction
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470#section-6.1 | RFC 9470 section 6.1}
 * @internal
 */
export function isAuthenticatedFor(
  { acr, auth_time: time }: TokenClaims,
  { acr: lists, maxAgeSeconds }: AuthenticationNeed,
  { nowSeconds, toleranceSeconds }: ValidationClock,
): boolean {
  if (!lists.every((list) => list.includes(acr as string))) return false;
  if (maxAgeSeconds === undefined) return true;
  // Written so that a clock that returns NaN finds every authentication too old.
  return (
    typeof time === 'number' &&
    nowSeconds - toleranceSeconds <= time + maxAgeSeconds &&
    nowSeconds + toleranceSeconds >= time
  );
}

/**
 * Returns the values for a challenge, in preference order: those that satisfy every list. If there are none, as for a batch
 * whose operations exclude each other, the first list that the token does not satisfy.
 *
 * @param acr - of the token
 * @internal
 */
export function acrValuesFor({ acr: lists }: AuthenticationNeed, acr: unknown): readonly string[] {
  const common = commonAcr(lists);
  return common.length > 0 ? common : (lists.find((list) => !list.includes(acr as string)) ?? []);
}

/** Returns the values that are in every list, in the order of the first. @internal */
export function commonAcr(lists: AuthenticationNeed['acr']): readonly string[] {
  const [first = [], ...others] = lists;
  return first.filter((value) => others.every((list) => list.includes(value)));
}
