import { SIGNATURE_ALGORITHMS } from '../options/algorithms.js';
import type { TestClientAuthMethod } from './test-authorization-server.interface.js';

/** The paths of the endpoints, below the origin. The first three respond with 404. @internal */
export const PATHS = {
  authorization: '/authorize',
  token: '/token',
  registration: '/register',
  jwks: '/jwks',
  introspection: '/introspect',
  revocation: '/revoke',
} as const;

/** The properties of a server that its metadata document contains. @internal */
export interface MetadataSubject {
  readonly issuer: string;
  readonly origin: string;
  /** The algorithm of signed introspection responses. */
  readonly alg: string;
  readonly authMethods: readonly TestClientAuthMethod[];
}

/**
 * Returns a metadata document with all members that RFC 8414, OpenID Connect Discovery and MCP clients need.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 | RFC 8414 section 2}
 * @internal
 */
export function metadataDocument(server: MetadataSubject): Record<string, unknown> {
  const { issuer, origin, alg, authMethods } = server;
  return {
    issuer,
    authorization_endpoint: origin + PATHS.authorization,
    token_endpoint: origin + PATHS.token,
    registration_endpoint: origin + PATHS.registration,
    jwks_uri: origin + PATHS.jwks,
    introspection_endpoint: origin + PATHS.introspection,
    // A method that is a token type is listed by the name of that type: RFC 8414 section 2.
    introspection_endpoint_auth_methods_supported: authMethods.map((method) =>
      method === 'bearer' ? 'Bearer' : method,
    ),
    introspection_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    introspection_signing_alg_values_supported: [alg],
    revocation_endpoint: origin + PATHS.revocation,
    revocation_endpoint_auth_methods_supported: authMethods.filter((method) => method !== 'bearer'),
    revocation_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}
