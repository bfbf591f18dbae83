import {
  type AccessDenial,
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  type CredentialsRejection,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  type MessageRejection,
  MessageRejectedError,
  type RequestOriginRejection,
  RequestOriginRejectedError,
  TenantRejectedError,
  type TenantRejection,
  type TokenRejection,
  TokenRejectedError,
} from './rejection.errors.js';

/**
 * Why a request was rejected, for all error classes: the `reason` of an `access_denied` event, and of a body
 * with `showErrorDetails`.
 *
 * @publicApi
 */
export type RejectionReason =
  | RequestOriginRejection
  | TenantRejection
  | CredentialsRejection
  | TokenRejection
  | MessageRejection
  | AccessDenial
  | 'insufficient_scope'
  | 'insufficient_user_authentication'
  | 'unavailable'
  | 'fault';

/** Every reason. If one is missing, this does not compile. */
const REASONS: Readonly<Record<RejectionReason, true>> = {
  origin: true,
  host: true,
  duplicate_host: true,
  request_target: true,
  unknown_tenant: true,
  tenant_unavailable: true,
  missing_token: true,
  unsupported_scheme: true,
  multiple_credentials: true,
  malformed: true,
  too_long: true,
  algorithm: true,
  type: true,
  unknown_key: true,
  unusable_key: true,
  signature: true,
  inactive: true,
  issuer: true,
  audience: true,
  expired: true,
  not_yet_valid: true,
  time_claims: true,
  too_old: true,
  missing_claim: true,
  subject: true,
  actor: true,
  sender_constrained: true,
  not_an_access_token: true,
  not_bound: true,
  certificate_missing: true,
  certificate_malformed: true,
  certificate_mismatch: true,
  proof_missing: true,
  proof_malformed: true,
  proof_algorithm: true,
  proof_key: true,
  proof_signature: true,
  proof_request: true,
  proof_time: true,
  proof_token: true,
  proof_nonce: true,
  proof_replayed: true,
  revoked: true,
  replayed: true,
  batch: true,
  header_mismatch: true,
  too_large: true,
  undeclared_tool: true,
  other_resource: true,
  media_type: true,
  not_a_message: true,
  no_stream: true,
  policy: true,
  client: true,
  insufficient_scope: true,
  insufficient_user_authentication: true,
  unavailable: true,
  fault: true,
};

/**
 * Returns the reason of a rejection from the error that was thrown.
 *
 * @returns undefined for an unknown reason: a verifier in plain JavaScript may have put a claim there
 * @internal
 */
export function rejectionReason(failure: unknown): RejectionReason | undefined {
  if (hasReason(failure)) return Object.hasOwn(REASONS, failure.reason) ? failure.reason : undefined;
  if (failure instanceof InsufficientScopeError) return 'insufficient_scope';
  if (failure instanceof InsufficientAuthenticationError) return 'insufficient_user_authentication';
  return failure instanceof AuthorizationServerUnavailableError ? 'unavailable' : 'fault';
}

/** The errors that say their reason themselves. */
const WITH_REASON = [
  TokenRejectedError,
  CredentialsRejectedError,
  RequestOriginRejectedError,
  TenantRejectedError,
  MessageRejectedError,
  AccessDeniedError,
];

function hasReason(failure: unknown): failure is InstanceType<(typeof WITH_REASON)[number]> {
  return WITH_REASON.some((type) => failure instanceof type);
}
