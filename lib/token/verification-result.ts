import { claimsFromAuthInfo, isAuthInfo } from './auth-info-claims.js';
import { VerifiedToken } from '../options/token.verifier.js';

/**
 * Reads the result of a verifier, without relying on its declared type.
 *
 * @returns the claims, or null for an invalid token
 * @throws TypeError for any other result; its message has the type and nothing of the value
 * @internal
 */
export function readVerificationResult(result: unknown): VerifiedToken | null {
  if (result === null || result === undefined) return null;
  if (result instanceof VerifiedToken) {
    if (isRecord(result.claims)) return result;
    throw new TypeError(`A verifier returned a VerifiedToken whose claims are ${kindOf(result.claims)}`);
  }
  if (!isRecord(result)) {
    throw new TypeError(`A verifier returned ${kindOf(result)}; expected an object with claims, or null`);
  }
  if (!isAuthInfo(result)) return new VerifiedToken(result);
  return new VerifiedToken(claimsFromAuthInfo(result), {
    audienceVerified: result.audienceVerified === true,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
