import { type AuthorizationServerMetadata } from '../options/mcp-auth-options.interface.js';

/** Stable codes of what MCP clients need and a metadata document lacks. @internal */
export type ComplianceCode =
  | 'authorization_endpoint_missing'
  | 'token_endpoint_missing'
  | 'code_response_type_missing'
  | 'authorization_code_grant_missing'
  | 'pkce_missing'
  | 'pkce_s256_missing'
  | 'registration_missing';

/** @internal */
export interface ComplianceFinding {
  readonly code: ComplianceCode;
  readonly message: string;
}

type Rule = readonly [ComplianceCode, string, (metadata: AuthorizationServerMetadata) => boolean];

const RULES: readonly Rule[] = [
  [
    'authorization_endpoint_missing',
    'no "authorization_endpoint": clients cannot send people to log in',
    (metadata) => metadata.authorization_endpoint !== undefined,
  ],
  [
    'token_endpoint_missing',
    'no "token_endpoint": clients cannot get tokens',
    (metadata) => metadata.token_endpoint !== undefined,
  ],
  [
    'code_response_type_missing',
    '"response_types_supported" lacks "code"',
    ({ response_types_supported: types }) => lists(types, 'code'),
  ],
  [
    'authorization_code_grant_missing',
    '"grant_types_supported" lacks "authorization_code"',
    // RFC 8414 section 2: left out, it means authorization_code and implicit.
    ({ grant_types_supported: grants }) => grants === undefined || lists(grants, 'authorization_code'),
  ],
  [
    'pkce_missing',
    'no "code_challenge_methods_supported": MCP clients refuse a server that does not announce PKCE',
    (metadata) => metadata.code_challenge_methods_supported !== undefined,
  ],
  [
    'pkce_s256_missing',
    '"code_challenge_methods_supported" lacks "S256"',
    ({ code_challenge_methods_supported: methods }) => methods === undefined || lists(methods, 'S256'),
  ],
  [
    'registration_missing',
    'neither "client_id_metadata_document_supported" nor "registration_endpoint": clients must be registered by hand',
    (metadata) =>
      metadata['client_id_metadata_document_supported'] === true ||
      metadata.registration_endpoint !== undefined,
  ],
];

/**
 * What a metadata document lacks for MCP clients. It says nothing about which tokens are good: a resource
 * server works with any document that {@link validateMetadata} takes.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization | MCP authorization}
 * @internal
 */
export function mcpComplianceFindings(metadata: AuthorizationServerMetadata): readonly ComplianceFinding[] {
  return RULES.filter(([, , holds]) => !holds(metadata)).map(([code, message]) => ({ code, message }));
}

/** A document may hold anything under a name; only a list counts. */
function lists(value: unknown, member: string): boolean {
  return Array.isArray(value) && value.includes(member);
}
