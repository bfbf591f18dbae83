import { isListOf, isOneOf, isPlainObject, isString, isText, type Problem } from './value-rules.js';
import { urlProblem } from './url-rules.js';

const isUrl = isString(urlProblem);

const isSigningAlgorithm: Problem = (value) =>
  isText(value) ?? (value === 'none' ? 'must not be "none"' : undefined);

/** JWS compact form whose payload names its issuer (RFC 9728 section 2.2). The signature is not verified. */
const isSignedMetadata: Problem = (value) => {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(typeof value === 'string' ? value : '') ?? [];
  if (payload === undefined) return 'must be a JWS in compact form';
  return namesIssuer(payload) ? undefined : 'must have an "iss" in its payload';
};

function namesIssuer(payload: string): boolean {
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss?: unknown } | null;
    return typeof claims?.iss === 'string';
  } catch {
    return false;
  }
}

const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['resource', 'is given by the option "resource"; leave it out here'],
  ['authorization_servers', 'is given by the option "authorizationServers"; leave it out here'],
  ['scopes_supported', 'is given by the option "scopesSupported"; leave it out here'],
  ['dpop_signing_alg_values_supported', 'is given by the option "dpop"; leave it out here'],
  ['dpop_bound_access_tokens_required', 'is given by the option "dpop"; leave it out here'],
  ['tls_client_certificate_bound_access_tokens', 'is given by the option "mutualTls"; leave it out here'],
]);

const MEMBERS: ReadonlyMap<string, Problem> = new Map<string, Problem>([
  ['jwks_uri', isUrl],
  ['bearer_methods_supported', isListOf(isOneOf('header'), { nonEmpty: true })],
  ['resource_signing_alg_values_supported', isListOf(isSigningAlgorithm, { nonEmpty: true })],
  ['resource_name', isText],
  ['resource_documentation', isUrl],
  ['resource_policy_uri', isUrl],
  ['resource_tos_uri', isUrl],
  ['authorization_details_types_supported', isListOf(isText, { nonEmpty: true })],
  ['signed_metadata', isSignedMetadata],
]);

/**
 * Returns what is wrong with the further members of an RFC 9728 document, or undefined if they are valid.
 *
 * A member with a language tag (`resource_name#de`) is checked like the member without. Members that the RFC does not name are
 * not checked, except for null and empty lists, which the RFC forbids for all.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-2 | RFC 9728 section 2}
 * @internal
 */
export function documentProblem(members: Record<string, unknown>): string | undefined {
  for (const [member, value] of Object.entries(members)) {
    const problem = memberProblem(member, value);
    if (problem !== undefined) return `"${member}" ${problem}`;
  }
  return undefined;
}

function memberProblem(member: string, value: unknown): string | undefined {
  const name = member.split('#', 1)[0] ?? member;
  const elsewhere = ELSEWHERE.get(name);
  if (elsewhere !== undefined) return elsewhere;
  if (value === null || value === undefined) return 'has no value; leave it out';
  if (Array.isArray(value) && value.length === 0) return 'is an empty list; leave it out';
  return MEMBERS.get(name)?.(value);
}

/** The shape of ProtectedResourceMetadataOptions. @internal */
export const isResourceDocument: Problem = (value) =>
  isPlainObject(value) ?? documentProblem(value as Record<string, unknown>);
