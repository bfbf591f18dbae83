import { DiscoveryError } from '../errors/discovery.error.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import { identifierProblem, urlProblem } from '../options/url-rules.js';
import { privateAddressProblem } from './private-addresses.js';

/** Expectations that a metadata document must satisfy. @internal */
export interface MetadataExpectation {
  /** The document's address, for messages; undefined for configured metadata. */
  readonly url: string | undefined;
  /** The issuers that the document may name, or undefined if it may name any. */
  readonly issuers: readonly string[] | undefined;
  /** Whether `jwks_uri` is needed: signatures are verified, and no keys are configured. */
  readonly needsKeys: boolean;
  /** Whether `introspection_endpoint` is needed: tokens are introspected, and no endpoint is configured. */
  readonly needsIntrospection: boolean;
  /** Whether `token_endpoint` is needed: tokens are exchanged. */
  readonly needsTokenEndpoint: boolean;
}

/**
 * Validates the members that a resource server needs: the issuer, compared exactly, the address of the keys, and those of
 * introspection and of token exchange if they are used. Members that only clients use are not checked: see {@link mcpComplianceFindings}.
 *
 * @throws {@link DiscoveryError} `issuer_mismatch` or `metadata_invalid`
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3.3 | RFC 8414 section 3.3}
 * @internal
 */
export function validateMetadata(
  document: Record<string, unknown>,
  { url, issuers, needsKeys, needsIntrospection, needsTokenEndpoint }: MetadataExpectation,
): AuthorizationServerMetadata {
  const { issuer } = document;
  if (typeof issuer !== 'string') throw invalid(url, 'has no "issuer"');
  if (issuers && !issuers.includes(issuer)) {
    const expected = issuers.map((candidate) => `"${candidate}"`).join(' or ');
    const fix = 'configure the issuer exactly as the server writes it';
    throw new DiscoveryError(
      'issuer_mismatch',
      url,
      `names the issuer "${issuer}", expected ${expected}; ${fix}`,
    );
  }
  const problem = identifierProblem(issuer);
  if (problem !== undefined) throw invalid(url, `names the issuer "${issuer}", which ${problem}`);
  if (needsKeys || document['jwks_uri'] !== undefined) assertAddress(url, document, 'jwks_uri', KEYS_FIX);
  if (needsIntrospection) assertAddress(url, document, 'introspection_endpoint', INTROSPECTION_FIX);
  if (needsTokenEndpoint) assertAddress(url, document, 'token_endpoint', TOKEN_FIX);
  return document as unknown as AuthorizationServerMetadata;
}

const KEYS_FIX = 'add it by "transpileData", or give the keys by the option "jwks"';
const INTROSPECTION_FIX = 'add it by "transpileData", or give it by the option "introspection.endpoint"';
const TOKEN_FIX = 'add it by "transpileData"';

function assertAddress(
  url: string | undefined,
  document: Record<string, unknown>,
  member: string,
  fix: string,
): void {
  const address = document[member];
  if (address === undefined) throw invalid(url, `has no "${member}"; ${fix}`);
  if (typeof address !== 'string') throw invalid(url, `names as "${member}" what is not a string`);
  const problem = urlProblem(address) ?? privateAddressProblem(address, url, String(document['issuer']));
  if (problem !== undefined) throw invalid(url, `has the "${member}" "${address}", which ${problem}`);
}

function invalid(url: string | undefined, detail: string): DiscoveryError {
  return new DiscoveryError('metadata_invalid', url, detail);
}
