import { expect, it } from 'vitest';
import { failureReason } from './http-failure.js';

it.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_self_signed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls_unknown_issuer'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls_unknown_issuer'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls_incomplete_chain'],
  ['CERT_HAS_EXPIRED', 'tls_expired'],
  ['CERT_NOT_YET_VALID', 'tls_not_yet_valid'],
  ['CERT_REVOKED', 'tls_failed'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_wrong_name'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_failed'],
  ['EPROTO', 'tls_failed'],
  ['ENOTFOUND', 'name_not_found'],
  ['ETIMEDOUT', 'timed_out'],
  ['HPE_HEADER_OVERFLOW', 'headers_too_large'],
  ['HPE_INVALID_CONSTANT', 'not_http'],
  ['ECONNREFUSED', 'connection_failed'],
  [undefined, 'connection_failed'],
])('takes the error code %s for %s', (code, reason) => {
  expect(failureReason(code)).toBe(reason);
});
