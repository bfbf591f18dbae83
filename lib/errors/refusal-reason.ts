import { REFUSAL_REFERENCE, type RefusalReason } from './refusal-reference.js';
import {
  AuthorizationServerUnavailableError,
  CredentialsRefusedError,
  InsufficientScopeError,
  MessageRefusedError,
  RequestOriginRefusedError,
  TokenRefusedError,
} from './refusal.errors.js';

/**
 * The reason for which a request is refused, by what was thrown.
 *
 * @returns undefined for a reason that is not one of ours: a verifier in plain JavaScript may have put a claim there
 * @internal
 */
export function refusalReason(failure: unknown): RefusalReason | undefined {
  if (
    failure instanceof TokenRefusedError ||
    failure instanceof CredentialsRefusedError ||
    failure instanceof RequestOriginRefusedError ||
    failure instanceof MessageRefusedError
  )
    return Object.hasOwn(REFUSAL_REFERENCE, failure.reason) ? failure.reason : undefined;
  if (failure instanceof InsufficientScopeError) return 'insufficient_scope';
  return failure instanceof AuthorizationServerUnavailableError ? 'unavailable' : 'fault';
}
