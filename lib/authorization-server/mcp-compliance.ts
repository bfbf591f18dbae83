import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';

/** Stable code of something that MCP clients need and a metadata document lacks. @publicApi */
export type ComplianceCode =
  | 'authorization_endpoint_missing'
  | 'token_endpoint_missing'
  | 'code_response_type_missing'
  | 'authorization_code_grant_missing'
  | 'pkce_missing'
  | 'pkce_s256_missing'
  | 'registration_missing';

/** One thing that a metadata document lacks. @publicApi */
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
    // RFC 8414 section 2: if it is omitted, the default is authorization_code and implicit.
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
    (metadata) => takesClientDocuments(metadata) || metadata.registration_endpoint !== undefined,
  ],
];

/**
 * Returns what a metadata document lacks for MCP clients. Findings do not affect token validation: a resource
 * server works with any document that {@link validateMetadata} accepts.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization | MCP authorization}
 * @internal
 */
export function mcpComplianceFindings(metadata: AuthorizationServerMetadata): readonly ComplianceFinding[] {
  return RULES.filter(([, , holds]) => !holds(metadata)).map(([code, message]) => ({ code, message }));
}

/** Returns the section about a finding, for messages. @internal */
export function pageOf(code: ComplianceCode): string {
  return `docs/operations/health.md#${code}`;
}

/**
 * Whether clients that are unknown to a server can only register dynamically. They then name the scopes that they will request,
 * and a server may limit them to these.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-2 | RFC 7591 section 2}
 * @internal
 */
export function registersWithScopes(metadata: AuthorizationServerMetadata): boolean {
  return metadata.registration_endpoint !== undefined && !takesClientDocuments(metadata);
}

/** Whether a server accepts client ID metadata documents. Clients read only `true`. */
function takesClientDocuments(metadata: AuthorizationServerMetadata): boolean {
  return metadata['client_id_metadata_document_supported'] === true;
}

/** Result of checking a metadata document for MCP clients, by stable codes. @publicApi */
export interface ComplianceReport {
  /** Findings that prevent MCP clients from working with the server. */
  readonly errors: readonly ComplianceFinding[];
  /** Findings that make it harder for MCP clients. */
  readonly warnings: readonly ComplianceFinding[];
  /** What the document does support. */
  readonly successes: readonly ComplianceSuccess[];
}

/** Stable code of something that MCP clients need and a metadata document has. @publicApi */
export type ComplianceSuccess =
  | 'server_metadata_valid'
  | 'code_response_type_supported'
  | 'authorization_code_grant_supported'
  | 'pkce_supported'
  | 's256_code_challenge_method_supported'
  | 'registration_supported';

/** Each success, and the findings that rule it out. */
const SUCCESSES: readonly (readonly [ComplianceSuccess, ...ComplianceCode[]])[] = [
  ['server_metadata_valid', 'authorization_endpoint_missing', 'token_endpoint_missing'],
  ['code_response_type_supported', 'code_response_type_missing'],
  ['authorization_code_grant_supported', 'authorization_code_grant_missing'],
  ['pkce_supported', 'pkce_missing'],
  ['s256_code_challenge_method_supported', 'pkce_missing', 'pkce_s256_missing'],
  ['registration_supported', 'registration_missing'],
];

/** Returns the findings by severity, and the successes that no finding rules out. @internal */
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
 * Returns the resources missing from the server's list, if it has one. It may issue no tokens for them.
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

/** Whether a value is a list with this member. A document may have any value under a name. */
function lists(value: unknown, member: string): boolean {
  return Array.isArray(value) && value.includes(member);
}
