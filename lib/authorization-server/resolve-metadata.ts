import { REQUEST_TIMEOUT_MS, MAX_METADATA_BYTES } from '../mcp-auth.constants.js';
import { DiscoveryError } from '../errors/discovery.error.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import type { ResolvedAuthorizationServerOptions } from '../options/trusted-authorization-server.interface.js';
import { untilAborted } from '../platform/deadline.js';
import { fetchJson } from './fetch-json.js';
import { mcpComplianceFindings } from './mcp-compliance.js';
import { validateMetadata } from './validate-metadata.js';
import { issuersOf, metadataUrls } from './well-known-urls.js';

/** Dependencies for fetching metadata. @internal */
export interface ResolveContext {
  readonly fetch: typeof fetch;
  /** Ends all requests, for the limit over the whole bootstrap. */
  readonly signal: AbortSignal;
}

/** Metadata, or every attempt that failed, in order. @internal */
export type Resolution =
  | { readonly metadata: AuthorizationServerMetadata; readonly attempts?: never }
  | { readonly metadata?: never; readonly attempts: readonly DiscoveryError[] };

/**
 * Resolves the metadata of one authorization server.
 *
 * It uses the configured metadata, the document at `metadataUrl`, or the well-known locations of the issuer in turn.
 * Failures are in the result, not thrown. The next location is tried only if the server has no document at this one. An
 * outage or a wrong document ends the search: otherwise a failure could choose which document counts.
 *
 * @internal
 */
export async function resolveMetadata(
  server: ResolvedAuthorizationServerOptions,
  context: ResolveContext,
): Promise<Resolution> {
  const attempts: DiscoveryError[] = [];
  for (const url of locations(server)) {
    try {
      return { metadata: await resolveAt(url, server, context) };
    } catch (error) {
      if (!(error instanceof DiscoveryError)) throw error;
      attempts.push(error);
      if (error.failure !== 'not_found' && error.failure !== 'not_json') break;
    }
  }
  return { attempts };
}

function locations({ metadata, metadataUrl, issuer, type }: ResolvedAuthorizationServerOptions) {
  if (metadata !== undefined) return [undefined];
  if (metadataUrl !== undefined) return [metadataUrl];
  return metadataUrls(issuer ?? '', type);
}

async function resolveAt(
  url: string | undefined,
  server: ResolvedAuthorizationServerOptions,
  { fetch, signal }: ResolveContext,
): Promise<AuthorizationServerMetadata> {
  const issuers = expectedIssuers(server);
  if (issuers?.length === 0) {
    const fix = 'add the "issuer" that the document must name, or "trustDocumentIssuer: true"';
    throw new DiscoveryError('metadata_invalid', url, `does not have a well-known form; ${fix}`);
  }
  const limits = { fetch, signal, timeoutMs: REQUEST_TIMEOUT_MS, maxBytes: MAX_METADATA_BYTES };
  const document = url === undefined ? server.metadata : await fetchJson(url, limits);
  const transpiled = await transpile(copyOf(document ?? {}, url), server, { url, signal });
  const metadata = validateMetadata(transpiled, { url, issuers, ...neededAddresses(server) });
  assertCompliance(metadata, server, url);
  return metadata;
}

/** Whether the package verifies signatures with the server's keys: of tokens or introspection responses. @internal */
export function usesKeys({ needsKeys, mode, introspection }: ResolvedAuthorizationServerOptions): boolean {
  return needsKeys && (mode !== 'introspection' || introspection?.requireSignedResponse === true);
}

/** Returns which addresses the document must have: those that are used and not configured. */
function neededAddresses(server: ResolvedAuthorizationServerOptions) {
  const { needsKeys, jwks, introspection, tokenExchange } = server;
  return {
    needsKeys: usesKeys(server) && jwks === undefined,
    needsIntrospection: needsKeys && introspection !== undefined && introspection.endpoint === undefined,
    needsTokenEndpoint: tokenExchange !== undefined,
  };
}

/** Returns the issuers that the document may name; undefined if the document alone decides. */
function expectedIssuers(server: ResolvedAuthorizationServerOptions): readonly string[] | undefined {
  if (server.issuer !== undefined) return [server.issuer];
  if (server.metadataUrl === undefined || server.trustDocumentIssuer) return undefined;
  return issuersOf(server.metadataUrl, server.type);
}

/** Returns a copy, so that no function changes the options. Configured metadata may have members that are not data. */
function copyOf(
  document: Readonly<Record<string, unknown>>,
  url: string | undefined,
): Record<string, unknown> {
  try {
    return structuredClone(document);
  } catch (cause) {
    throw new DiscoveryError('metadata_invalid', url, 'has a member that is no data, such as a function', {
      cause,
    });
  }
}

async function transpile(
  document: Record<string, unknown>,
  { transpileData }: ResolvedAuthorizationServerOptions,
  { url, signal }: { url: string | undefined; signal: AbortSignal },
): Promise<Record<string, unknown>> {
  if (!transpileData) return document;
  let result: unknown;
  try {
    result = await untilAborted(signal, transpileData(document));
  } catch (error) {
    if (signal.aborted)
      throw new DiscoveryError('timeout', url, '"transpileData" did not end in time', { cause: error });
    throw new DiscoveryError('transpile_failed', url, `"transpileData" threw ${String(error)}`, {
      cause: error,
    });
  }
  if (typeof result !== 'object' || result === null || Array.isArray(result)) {
    throw new DiscoveryError('transpile_failed', url, '"transpileData" did not return an object');
  }
  return result as Record<string, unknown>;
}

function assertCompliance(
  metadata: AuthorizationServerMetadata,
  { mcpCompliance }: ResolvedAuthorizationServerOptions,
  url: string | undefined,
): void {
  if (mcpCompliance !== 'error') return;
  const findings = mcpComplianceFindings(metadata);
  if (findings.length === 0) return;
  const list = findings.map(({ code, message }) => `${code} (${message})`).join('; ');
  throw new DiscoveryError('metadata_invalid', url, `does not serve MCP clients: ${list}`);
}
