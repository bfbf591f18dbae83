import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** The last second that a date can be written for with four digits of year; beyond lies no honest expiry. */
const END_OF_TIME = 253_402_300_799;

/** The time that tokens are measured by. @internal */
export interface ValidationClock {
  /** Seconds since the epoch. */
  readonly nowSeconds: number;
  /** How far the issuer's clock may be off, in either direction. */
  readonly toleranceSeconds: number;
}

/** What a token must say of time, beside being valid now. @internal */
export interface TimeRules {
  /** Whether a token that does not say until when it is valid is rejected. */
  readonly requiresExpiry: boolean;
  /** How long after `iat` a token is good; with it, one that does not say when it was issued is rejected. */
  readonly maxAgeSeconds?: number | undefined;
}

/**
 * Rejects a token that is expired, too old, not valid yet, or has time claims that are no times.
 *
 * @param claims - the token's claims
 * @param clock - what they are compared with
 * @param rules - what it must say
 * @returns the time from which on the token is rejected, without the tolerance: `exp` or its greatest age, whichever comes
 * first; undefined if the token has neither
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
  // Written so that a clock that gives NaN rejects everything.
  if (!(nowSeconds < (exp ?? END_OF_TIME) + toleranceSeconds)) throw new TokenRejectedError('expired');
  const begins = [nbf, iat].filter((date) => date !== undefined);
  if (begins.some((begin) => nowSeconds < begin - toleranceSeconds))
    throw new TokenRejectedError('not_yet_valid');
  if (maxAgeSeconds === undefined) return exp;
  return endOf(exp, iat, { nowSeconds: nowSeconds - toleranceSeconds, maxAgeSeconds });
}

/** The end of a token with a greatest age, which must not be over. */
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
