import { DiscoveryError } from '../errors/discovery.error.js';
import { type AuthorizationServerMetadata } from '../options/mcp-auth-options.interface.js';
import { identifierProblem, urlProblem } from '../options/url-rules.js';

/** What a metadata document has to agree with. @internal */
export interface MetadataExpectation {
  /** The document's address, for messages; undefined for metadata given by hand. */
  readonly url: string | undefined;
  /** The issuers that are right, or undefined where the document itself says. */
  readonly issuers: readonly string[] | undefined;
  /** Whether keys are configured, so that `jwks_uri` is not needed. */
  readonly hasKeys: boolean;
}

/**
 * Checks what a resource server relies on: the issuer, to the letter, and the address of the keys. Members
 * that only clients use are not checked here; see {@link mcpComplianceFindings}.
 *
 * @throws {@link DiscoveryError} `issuer_mismatch` or `metadata_invalid`
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3.3 | RFC 8414 section 3.3}
 * @internal
 */
export function validateMetadata(
  document: Record<string, unknown>,
  { url, issuers, hasKeys }: MetadataExpectation,
): AuthorizationServerMetadata {
  const { issuer, jwks_uri: jwksUri } = document;
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
  assertKeyAddress(url, jwksUri, hasKeys);
  return document as unknown as AuthorizationServerMetadata;
}

function assertKeyAddress(url: string | undefined, jwksUri: unknown, hasKeys: boolean): void {
  if (jwksUri === undefined) {
    if (hasKeys) return;
    throw invalid(url, 'has no "jwks_uri"; add it by "transpileData", or give the keys by the option "jwks"');
  }
  if (typeof jwksUri !== 'string') throw invalid(url, 'has a "jwks_uri" that is not a string');
  const problem = urlProblem(jwksUri);
  if (problem !== undefined) throw invalid(url, `has the "jwks_uri" "${jwksUri}", which ${problem}`);
}

function invalid(url: string | undefined, detail: string): DiscoveryError {
  return new DiscoveryError('metadata_invalid', url, detail);
}
