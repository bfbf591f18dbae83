import { type ComplianceCode, mcpComplianceFindings } from '../../authorization-server/mcp-compliance.js';
import { metadataUrls } from '../../authorization-server/well-known-urls.js';
import type { AuthorizationServerMetadata } from '../../options/authorization-server-options.js';
import { identifierProblem, urlProblem } from '../../options/url-rules.js';
import type { Check, DoctorContext, Json, ServerFacts } from '../context.js';
import { fetchDocument, type FetchedDocument } from '../fetch-document.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import { MCP_AUTHORIZATION, rfc } from '../links.js';
import { textsOf } from '../messages.js';
import { AUTHORIZATION_SERVER_FINDINGS } from './authorization-server.findings.js';
import { checkKeys } from './key-set.js';

const finding = findingsOf(AUTHORIZATION_SERVER_FINDINGS);

/** More are not examined: clients use the first that they can. */
const MAX_SERVERS = 5;

const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'jwks_uri'] as const;

/** Metadata, registration and keys of each authorization server. @internal */
export const authorizationServers: Check = {
  id: 'authorization-servers',
  title: 'Authorization servers',
  async run(context) {
    const named = [...new Set(textsOf(context.facts.document?.['authorization_servers']))];
    const issuers = named.filter((issuer) => identifierProblem(issuer) === undefined).slice(0, MAX_SERVERS);
    const checked = await Promise.all(issuers.map((issuer) => checkServer(context, issuer)));
    context.facts.servers.push(...checked.map(({ facts }) => facts));
    return checked.flatMap(({ findings }) => findings);
  },
};

interface CheckedServer {
  readonly facts: ServerFacts;
  readonly findings: readonly Finding[];
}

async function checkServer(context: DoctorContext, issuer: string): Promise<CheckedServer> {
  const tried: FetchedDocument[] = [];
  for (const url of metadataUrls(issuer, 'auto')) {
    const fetched = await fetchDocument(context.http, url);
    tried.push(fetched);
    if (fetched.json) break;
  }
  const metadata = tried.at(-1)?.json;
  if (!metadata) {
    const found = tried.map((each) => `${each.url}: ${each.found}`).join(', ');
    return {
      facts: { issuer, metadata, keys: undefined },
      findings: [finding('metadata_missing', { subject: issuer, found })],
    };
  }
  const { keys, findings } = await checkKeys(context.http, issuer, metadata);
  return {
    facts: { issuer, metadata, keys },
    findings: [...judgeMetadata(issuer, metadata, context), ...findings],
  };
}

/** @internal */
export function judgeMetadata(
  issuer: string,
  metadata: Json,
  { url, facts }: Pick<DoctorContext, 'url'> & { readonly facts: Pick<DoctorContext['facts'], 'document'> },
): readonly Finding[] {
  const scopes = textsOf(facts.document?.['scopes_supported']);
  return [
    judgeIssuer(issuer, metadata),
    ...judgeCompliance(issuer, metadata),
    ...judgeEndpoints(issuer, metadata),
    ...judgeRegistration(issuer, metadata),
    ...judgeRest(issuer, metadata),
    ...judgeOffer(issuer, metadata, url, scopes),
  ];
}

function judgeIssuer(issuer: string, { issuer: named }: Json): Finding {
  if (named !== issuer) {
    const found = typeof named === 'string' ? named : 'no "issuer"';
    return finding('issuer_mismatch', { subject: issuer, expected: issuer, found });
  }
  return ok('issuer', 'The metadata is served, and names the issuer exactly', rfc(8414, '3.3'), {
    subject: issuer,
  });
}

function judgeCompliance(issuer: string, metadata: Json): readonly Finding[] {
  const findings = mcpComplianceFindings(metadata as unknown as AuthorizationServerMetadata);
  const has = (...codes: ComplianceCode[]): boolean => findings.some(({ code }) => codes.includes(code));
  return [
    ...findings.map(({ code }) => finding(code, { subject: issuer })),
    ...(has('pkce_missing', 'pkce_s256_missing')
      ? []
      : [ok('pkce', 'PKCE with S256 is announced', MCP_AUTHORIZATION, { subject: issuer })]),
  ];
}

function judgeEndpoints(issuer: string, metadata: Json): readonly Finding[] {
  return ENDPOINTS.flatMap((name) => {
    const value = metadata[name];
    if (value === undefined) return [];
    const problem = typeof value === 'string' ? urlProblem(value) : 'is not a text';
    if (problem === undefined) return [];
    return [
      finding('endpoint_malformed', {
        subject: issuer,
        found: `${name}: ${JSON.stringify(value)} ${problem}`,
      }),
    ];
  });
}

function judgeRegistration(issuer: string, metadata: Json): readonly Finding[] {
  const hasDocuments = metadata['client_id_metadata_document_supported'] === true;
  const hasDynamic = metadata['registration_endpoint'] !== undefined;
  if (!hasDocuments && !hasDynamic) return [];
  const ways = [hasDocuments && 'client ID metadata documents', hasDynamic && 'dynamic registration'];
  const found = ways.filter((way) => way !== false).join(' and ');
  return [
    ok('registration', 'Unknown clients can register', MCP_AUTHORIZATION, { subject: issuer, found }),
    ...(hasDocuments ? [] : [finding('client_documents_missing', { subject: issuer })]),
    ...(hasDynamic ? [] : [finding('dynamic_registration_missing', { subject: issuer })]),
  ];
}

function judgeRest(issuer: string, metadata: Json): readonly Finding[] {
  const { grant_types_supported: grants, token_endpoint_auth_methods_supported: methods } = metadata;
  const lacks = (value: unknown, member: string): boolean =>
    value !== undefined && !textsOf(value).includes(member);
  return [
    ...(metadata['authorization_response_iss_parameter_supported'] === true
      ? []
      : [finding('iss_parameter_missing', { subject: issuer })]),
    ...(lacks(grants, 'refresh_token') ? [finding('refresh_missing', { subject: issuer })] : []),
    ...(lacks(methods, 'none') ? [finding('public_clients_missing', { subject: issuer })] : []),
  ];
}

function judgeOffer(
  issuer: string,
  metadata: Json,
  url: string,
  scopes: readonly string[],
): readonly Finding[] {
  const { scopes_supported: offered, protected_resources: resources } = metadata;
  const missing = Array.isArray(offered) ? scopes.filter((scope) => !offered.includes(scope)) : [];
  const isUnlisted = Array.isArray(resources) && !resources.includes(url);
  return [
    ...(missing.length > 0
      ? [finding('scopes_not_offered', { subject: issuer, found: missing.join(' ') })]
      : []),
    ...(isUnlisted ? [finding('resource_not_listed', { subject: issuer, expected: url })] : []),
  ];
}
