import type { ChallengeStrategy } from '../policy/scopes.js';

const NO_BATCHES_SINCE = '2025-06-18';

/** From this revision on, clients keep the scopes they have when they request more. */
const CLIENTS_ACCUMULATE_SINCE = '2026-07-28';

/** From this revision on, results say how they may be cached. */
const CACHE_SCOPES_SINCE = '2026-07-28';

const HEADERS_MIRROR_SINCE = '2026-07-28';

/**
 * Returns whether clients of a protocol version keep their scopes when a challenge names others. A client without a
 * version, or with one that is not a date, counts as old.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization | MCP authorization, scope selection}
 * @internal
 */
export function clientAccumulatesScopes(protocolVersion: unknown): boolean {
  return isSince(CLIENTS_ACCUMULATE_SINCE, protocolVersion);
}

/** Returns the challenge strategy for an MCP operation, by the client's protocol version. @internal */
export function mcpStrategy(protocolVersion: unknown): ChallengeStrategy {
  return clientAccumulatesScopes(protocolVersion) ? 'operation' : 'accumulated';
}

/**
 * Returns whether a protocol version has no JSON-RPC batches. Requests without a version are 2025-03-26, which has them.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-06-18/changelog | MCP 2025-06-18, changes}
 * @internal
 */
export function hasNoBatches(protocolVersion: unknown): boolean {
  return isSince(NO_BATCHES_SINCE, protocolVersion);
}

/**
 * Returns whether results have a `cacheScope`, by the protocol version of the request.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching | MCP, caching}
 * @internal
 */
export function hasCacheScopes(protocolVersion: unknown): boolean {
  return isSince(CACHE_SCOPES_SINCE, protocolVersion);
}

/**
 * Returns whether headers mirror parts of the message in a protocol version.
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
    protocolVersion >= revision &&
    /^\d{4}-\d{2}-\d{2}$/.test(protocolVersion)
  );
}
