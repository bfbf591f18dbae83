import { errors } from 'jose';
import { DiscoveryError } from '../errors/discovery.error.js';
import {
  AuthorizationServerUnavailableError,
  type TokenRejection,
  TokenRejectedError,
} from '../errors/rejection.errors.js';

const REJECTIONS: ReadonlyMap<string, TokenRejection> = new Map<string, TokenRejection>([
  [errors.JWSInvalid.code, 'malformed'],
  [errors.JWTInvalid.code, 'malformed'],
  [errors.JOSEAlgNotAllowed.code, 'algorithm'],
  [errors.JOSENotSupported.code, 'algorithm'],
  [errors.JWKSNoMatchingKey.code, 'unknown_key'],
  [errors.JWSSignatureVerificationFailed.code, 'signature'],
]);

/**
 * Converts the error of a failed verification: the token is invalid, or cannot be verified now. Other errors are returned
 * unchanged.
 *
 * @internal
 */
export function toVerifierError(error: unknown, issuer: string): unknown {
  if (error instanceof AuthorizationServerUnavailableError) return error;
  if (error instanceof DiscoveryError)
    return new AuthorizationServerUnavailableError(issuer, 'keys', { cause: error });
  if (error instanceof errors.JOSEError) {
    // The remaining case is JWKSInvalid: the member for the token's key is not a usable public key.
    return new TokenRejectedError(REJECTIONS.get(error.code) ?? 'unusable_key', { cause: error });
  }
  // Web Crypto and jose reject a weak or broken key with these, not with an error of jose's own.
  if (error instanceof TypeError || error instanceof DOMException) {
    return new TokenRejectedError('unusable_key', { cause: error });
  }
  return error;
}
