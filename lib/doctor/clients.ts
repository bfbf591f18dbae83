import { hasPrivateHost } from '../authorization-server/private-addresses.js';
import { parameterOf } from './challenge-grammar.js';
import { CLIENT_FAMILIES, type ClientFamily, type RegistrationWay } from './client-families.js';
import type { DoctorContext, Facts } from './context.js';
import type { Finding } from './finding.js';
import { docs } from './links.js';
import { textsOf } from './messages.js';

/** Whether a client family works with the deployment: fully, after something that `reasons` say, or not. @internal */
export type Verdict = 'works' | 'limited' | 'fails';

/** @internal */
export interface ClientVerdict {
  readonly name: string;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly link: string;
}

/** Findings that prevent every client from signing in, besides those about the connection. */
const BLOCKING: ReadonlySet<string> = new Set([
  ...['redirected', 'endpoint_missing', 'server_fails', 'not_https', 'headers_too_large', 'not_http'],
  ...['name_not_found', 'connection_failed', 'timed_out', 'status_without_token', 'challenge_not_bearer'],
  ...['document_missing', 'document_unusable', 'resource_missing', 'resource_mismatch'],
  ...['authorization_servers_missing', 'authorization_server_malformed', 'header_not_supported'],
  ...['metadata_missing', 'issuer_mismatch', 'endpoint_malformed', 'authorization_endpoint_missing'],
  ...['token_endpoint_missing', 'code_response_type_missing', 'authorization_code_grant_missing'],
  ...['pkce_missing', 'pkce_s256_missing', 'keys_unreachable', 'keys_missing'],
]);

/** Returns a verdict for each client family of docs/clients.md. @internal */
export function judgeClients(
  findings: readonly Finding[],
  { url, facts }: Pick<DoctorContext, 'url' | 'facts'>,
): readonly ClientVerdict[] {
  const blocking = findings.filter(({ id, severity }) => severity === 'error' && blocks(id));
  const isOpen = findings.some(({ id }) => id === 'no_authentication');
  return CLIENT_FAMILIES.map((family) => {
    const common = { name: family.name, link: docs(`clients.md#${family.anchor}`) };
    const failures = [...new Set(blocking.map(({ title }) => title)), ...unreachable(family, url)];
    if (failures.length > 0) return { ...common, verdict: 'fails', reasons: failures };
    if (isOpen)
      return {
        ...common,
        verdict: 'limited',
        reasons: ['It connects, and everybody can: there is no sign-in'],
      };
    const reasons = limits(family, facts);
    return { ...common, verdict: reasons.length > 0 ? 'limited' : 'works', reasons };
  });
}

function blocks(id: string): boolean {
  return BLOCKING.has(id) || id.startsWith('tls_');
}

function unreachable({ isRemote }: ClientFamily, url: string): readonly string[] {
  return isRemote && hasPrivateHost(url)
    ? ['Its requests come from the internet, and the URL is a private address']
    : [];
}

function limits(family: ClientFamily, facts: Facts): readonly string[] {
  return [...registrationLimits(family, facts), ...scopeLimits(family, facts), ...toolLimits(family, facts)];
}

function registrationLimits({ registersBy }: ClientFamily, { servers }: Facts): readonly string[] {
  const [metadata] = servers.map((server) => server.metadata);
  if (!metadata) return [];
  const offered: Readonly<Record<RegistrationWay, boolean>> = {
    documents: metadata['client_id_metadata_document_supported'] === true,
    dynamic: metadata['registration_endpoint'] !== undefined,
  };
  return registersBy.some((way) => offered[way])
    ? []
    : ['It needs a client ID that was registered by hand at the authorization server'];
}

function scopeLimits({ requests, stepsUp }: ClientFamily, { challenge, document }: Facts): readonly string[] {
  const supported = textsOf(document?.['scopes_supported']);
  if (requests === 'configured') return supported.length > 0 ? ['The user names the scopes at login'] : [];
  if (requests === 'supported') {
    return supported.length > 0
      ? []
      : ['It requests what "scopes_supported" lists, and there is no such list'];
  }
  const asked = parameterOf(challenge, 'scope')?.split(' ') ?? supported;
  const missing = supported.filter((scope) => !asked.includes(scope));
  return stepsUp || missing.length === 0
    ? []
    : [
        `It does not step up, and never gets scopes that the first challenge leaves out: set "challengeScopes" to 'all'`,
      ];
}

function toolLimits(
  { readsToolChallenges }: ClientFamily,
  { hasToolChallenge, tools }: Facts,
): readonly string[] {
  if (!readsToolChallenges) return [];
  const lacksSchemes = tools?.some((tool) => !tool.hasSchemes) === true;
  return [
    ...(hasToolChallenge ? [] : ['It offers its sign-in by challenges in tool results: set "toolChallenge"']),
    ...(lacksSchemes ? ['It needs "securitySchemes" of each tool: set "toolSecuritySchemes"'] : []),
  ];
}
