/** Why a request got no answer. Each is also the id of a finding. @internal */
export type FailureReason =
  | 'tls_self_signed'
  | 'tls_unknown_issuer'
  | 'tls_incomplete_chain'
  | 'tls_expired'
  | 'tls_not_yet_valid'
  | 'tls_wrong_name'
  | 'tls_failed'
  | 'name_not_found'
  | 'connection_failed'
  | 'timed_out'
  | 'headers_too_large'
  | 'not_http';

const REASONS: Readonly<Record<string, FailureReason>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_self_signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_unknown_issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_unknown_issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_unknown_issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_incomplete_chain',
  CERT_HAS_EXPIRED: 'tls_expired',
  CERT_NOT_YET_VALID: 'tls_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_wrong_name',
  EPROTO: 'tls_failed',
  ENOTFOUND: 'name_not_found',
  EAI_AGAIN: 'name_not_found',
  ETIMEDOUT: 'timed_out',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
};

/** Returns why a request failed, by the code of its error. @internal */
export function failureReason(code: string | undefined): FailureReason {
  const known = REASONS[code ?? ''];
  if (known !== undefined) return known;
  if (code?.startsWith('ERR_SSL') === true || code?.startsWith('CERT_') === true) return 'tls_failed';
  return code?.startsWith('HPE_') === true ? 'not_http' : 'connection_failed';
}
