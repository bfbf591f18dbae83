import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** The last second of the year 9999. A later expiry is not plausible. */
const END_OF_TIME = 253_402_300_799;

/** The current time and its tolerance. @internal */
export interface ValidationClock {
  /** Seconds since the epoch. */
  readonly nowSeconds: number;
  /** Tolerated difference of the issuer's clock, in either direction. */
  readonly toleranceSeconds: number;
}

/** Rules for time claims, in addition to being valid now. @internal */
export interface TimeRules {
  /** Whether a token without `exp` is rejected. */
  readonly requiresExpiry: boolean;
  /** How long after `iat` a token is valid. If set, a token without `iat` is rejected. */
  readonly maxAgeSeconds?: number | undefined;
}

/**
 * Rejects a token that is expired, too old, not valid yet, or has malformed time claims.
 *
 * @param claims - the token's claims
 * @param clock - the current time
 * @param rules - the required claims and the maximum age
 * @returns the time from which the token is rejected, without the tolerance: the earlier of `exp` and its maximum age;
 * undefined if the token has neither
 * @throws {@link TokenRejectedError} `expired`, `too_old`, `not_yet_valid` or `time_claims`
 * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4 | RFC 7519 sections 4.1.4 to 4.1.6}
 * @internal
 */
export function assertTimely(
  { exp, nbf, iat }: TokenClaims,
  { nowSeconds, toleranceSeconds }: ValidationClock,
  { requiresExpiry, maxAgeSeconds }: TimeRules,
): number | undefined {
  if (!isDateOrAbsent(exp) || !isDateOrAbsent(nbf) || !isDateOrAbsent(iat))
    throw new TokenRejectedError('time_claims');
  if (exp === undefined && requiresExpiry) throw new TokenRejectedError('time_claims');
  // The negation makes a clock that returns NaN reject everything.
  if (!(nowSeconds < (exp ?? END_OF_TIME) + toleranceSeconds)) throw new TokenRejectedError('expired');
  if (nowSeconds < beginOf(nbf, iat) - toleranceSeconds) throw new TokenRejectedError('not_yet_valid');
  if (maxAgeSeconds === undefined) return exp;
  return endOf(exp, iat, { nowSeconds: nowSeconds - toleranceSeconds, maxAgeSeconds });
}

/** Returns the later of both dates. */
function beginOf(nbf = -Infinity, iat = -Infinity): number {
  return Math.max(nbf, iat);
}

/** Returns the expiry of a token with a maximum age. Rejects the token if it is too old. */
function endOf(
  exp: number | undefined,
  iat: number | undefined,
  { nowSeconds, maxAgeSeconds }: { nowSeconds: number; maxAgeSeconds: number },
): number {
  if (iat === undefined) throw new TokenRejectedError('time_claims');
  const end = iat + maxAgeSeconds;
  if (!(nowSeconds < end)) throw new TokenRejectedError('too_old');
  return exp === undefined ? end : Math.min(exp, end);
}

function isDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= END_OF_TIME;
}

function isDateOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || isDate(value);
}
