import { TokenRefusedError } from '../errors/refusal.errors.js';
import { type TokenClaims } from '../verifier/token.verifier.js';

/** The last second that a date can be written for with four digits of year; beyond lies no honest expiry. */
const END_OF_TIME = 253_402_300_799;

/**
 * Refuses a token that is expired, not valid yet, or does not say until when it is valid.
 *
 * @param claims - the token's claims
 * @param nowSeconds - seconds since the epoch
 * @param toleranceSeconds - how far the issuer's clock may be off, in either direction
 * @returns `exp`
 * @throws {@link TokenRefusedError} `expired`, `not_yet_valid` or `time_claims`
 * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4 | RFC 7519 sections 4.1.4 to 4.1.6}
 * @internal
 */
export function assertTimely(
  { exp, nbf, iat }: TokenClaims,
  nowSeconds: number,
  toleranceSeconds: number,
): number {
  if (!isDate(exp) || !isDateOrAbsent(nbf) || !isDateOrAbsent(iat))
    throw new TokenRefusedError('time_claims');
  // Written so that a clock that gives NaN refuses everything.
  if (!(nowSeconds < exp + toleranceSeconds)) throw new TokenRefusedError('expired');
  const begin = Math.max(nbf ?? 0, iat ?? 0);
  if (nowSeconds < begin - toleranceSeconds) throw new TokenRefusedError('not_yet_valid');
  return exp;
}

function isDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= END_OF_TIME;
}

function isDateOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || isDate(value);
}
