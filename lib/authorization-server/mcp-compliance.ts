import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';

/** Stable codes of what MCP clients need and a metadata document lacks. @publicApi */
export type ComplianceCode =
  | 'authorization_endpoint_missing'
  | 'token_endpoint_missing'
  | 'code_response_type_missing'
  | 'authorization_code_grant_missing'
  | 'pkce_missing'
  | 'pkce_s256_missing'
  | 'registration_missing';

/** What a metadata document lacks. @publicApi */
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
    'no "code_challenge_methods_supported": MCP clients reject a server that does not announce PKCE',
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

/** What the diagnostics say of a metadata document, by stable codes. @publicApi */
export interface ComplianceReport {
  /** What keeps MCP clients from working with the server. */
  readonly errors: readonly ComplianceFinding[];
  /** What makes it harder. */
  readonly warnings: readonly ComplianceFinding[];
  /** What it does support. */
  readonly successes: readonly ComplianceSuccess[];
}

/** What MCP clients need and a metadata document has. @publicApi */
export type ComplianceSuccess =
  | 'server_metadata_valid'
  | 'code_response_type_supported'
  | 'authorization_code_grant_supported'
  | 'pkce_supported'
  | 's256_code_challenge_method_supported'
  | 'registration_supported';

/** Each success, and the findings that speak against it. */
const SUCCESSES: readonly (readonly [ComplianceSuccess, ...ComplianceCode[]])[] = [
  ['server_metadata_valid', 'authorization_endpoint_missing', 'token_endpoint_missing'],
  ['code_response_type_supported', 'code_response_type_missing'],
  ['authorization_code_grant_supported', 'authorization_code_grant_missing'],
  ['pkce_supported', 'pkce_missing'],
  ['s256_code_challenge_method_supported', 'pkce_missing', 'pkce_s256_missing'],
  ['registration_supported', 'registration_missing'],
];

/** The findings by weight, and what there is none against. @internal */
export function complianceReport(metadata: AuthorizationServerMetadata): ComplianceReport {
  const findings = mcpComplianceFindings(metadata);
  const isWarning = ({ code }: ComplianceFinding): boolean => code === 'registration_missing';
  const found = new Set(findings.map(({ code }) => code));
  return {
    errors: findings.filter((finding) => !isWarning(finding)),
    warnings: findings.filter(isWarning),
    successes: SUCCESSES.filter(([, ...against]) => !against.some((code) => found.has(code))).map(
      ([success]) => success,
    ),
  };
}

/**
 * The resources that a server does not list although it lists some: it may reject to issue tokens for them.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-4 | RFC 9728 section 4}
 * @internal
 */
export function unlistedResources(
  metadata: AuthorizationServerMetadata,
  resources: readonly string[],
): readonly string[] {
  const listed = metadata['protected_resources'];
  return Array.isArray(listed) ? resources.filter((resource) => !listed.includes(resource)) : [];
}

/** A document may hold anything under a name; only a list counts. */
function lists(value: unknown, member: string): boolean {
  return Array.isArray(value) && value.includes(member);
}
