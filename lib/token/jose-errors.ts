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
 * What a failed verification means: the token is bad, or that cannot be told now. An error that is neither
 * comes back as it is.
 *
 * @internal
 */
export function toVerifierError(error: unknown, issuer: string): unknown {
  if (error instanceof AuthorizationServerUnavailableError) return error;
  if (error instanceof DiscoveryError)
    return new AuthorizationServerUnavailableError(issuer, 'keys', { cause: error });
  if (error instanceof errors.JOSEError) {
    // JWKSInvalid is left: a member that is no usable public key, found when a token asked for it.
    return new TokenRejectedError(REJECTIONS.get(error.code) ?? 'unusable_key', { cause: error });
  }
  // Web Crypto and jose reject a weak or broken key with these, not with an error of jose's own.
  if (error instanceof TypeError || error instanceof DOMException) {
    return new TokenRejectedError('unusable_key', { cause: error });
  }
  return error;
}
