import type { ChallengeStrategy } from '../policy/scopes.js';

const NO_BATCHES_SINCE = '2025-06-18';

/** From this revision on, clients keep the scopes they have when they ask for more. */
const CLIENTS_ACCUMULATE_SINCE = '2026-07-28';

/** From this revision on, results say how they may be cached. */
const CACHE_SCOPES_SINCE = '2026-07-28';

const HEADERS_MIRROR_SINCE = '2026-07-28';

/**
 * Tells whether the client keeps its scopes by itself when a challenge names others, by its protocol version.
 * Without a version, or with one that is no date, it is taken for an old client.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization | MCP authorization, scope selection}
 * @internal
 */
export function clientAccumulatesScopes(protocolVersion: unknown): boolean {
  return isSince(CLIENTS_ACCUMULATE_SINCE, protocolVersion);
}

/** What a challenge for an MCP operation names, by the client's protocol version. @internal */
export function mcpStrategy(protocolVersion: unknown): ChallengeStrategy {
  return clientAccumulatesScopes(protocolVersion) ? 'operation' : 'accumulated';
}

/**
 * Tells whether a protocol version has no JSON-RPC batches. Requests without a version are of 2025-03-26, which has them.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-06-18/changelog | MCP 2025-06-18, changes}
 * @internal
 */
export function hasNoBatches(protocolVersion: unknown): boolean {
  return isSince(NO_BATCHES_SINCE, protocolVersion);
}

/**
 * Tells whether results say whom they may be cached for (`cacheScope`), by the protocol version of the request.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching | MCP, caching}
 * @internal
 */
export function hasCacheScopes(protocolVersion: unknown): boolean {
  return isSince(CACHE_SCOPES_SINCE, protocolVersion);
}

/**
 * Tells whether headers mirror what messages of a protocol version are about.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http | MCP, Streamable HTTP}
 * @internal
 */
export function isMirrored(protocolVersion: unknown): boolean {
  return isSince(HEADERS_MIRROR_SINCE, protocolVersion);
}

function isSince(revision: string, protocolVersion: unknown): boolean {
  return (
    typeof protocolVersion === 'string' &&
    /^\d{4}-\d{2}-\d{2}$/.test(protocolVersion) &&
    protocolVersion >= revision
  );
}
