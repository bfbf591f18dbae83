import { BootstrapDiscoveryError, DiscoveryError } from '../errors/discovery.error.js';
import type { AuthorizationServer } from './authorization-server.js';
import type { IssuerKeys } from './issuer-keys.js';
import { type ComplianceReport, complianceReport } from './mcp-compliance.js';
import type { RefreshState } from './refreshed-value.js';

/**
 * State of an authorization server, from the last fetch of its metadata or keys. A fetch happens when a token needs it, in
 * the background after a failure, or by {@link McpAuthDiagnostics.check}.
 *
 * - `up`: the last fetch succeeded
 * - `stale`: the last fetch failed; the cached value is still used for a while
 * - `down`: the last fetch failed and there is no usable cached value: its tokens get 503
 * - `unknown`: nothing was fetched yet
 *
 * @publicApi
 */
export type AuthorizationServerStatus = 'up' | 'stale' | 'down' | 'unknown';

/** State of one authorization server. @publicApi */
export interface AuthorizationServerReport {
  readonly issuer: string;
  readonly status: AuthorizationServerStatus;
  /** Time since the metadata was requested. Unit: seconds. Undefined if there is none. */
  readonly metadataAgeSeconds: number | undefined;
  /** Time since the keys were requested. Unit: seconds. Undefined if there are none, or they are configured. */
  readonly keysAgeSeconds: number | undefined;
  /** The last failure, unless a later fetch succeeded. Query strings of URLs are omitted: they may hold secrets. */
  readonly lastFailure: string | undefined;
  /**
   * Time until the server may be asked again after a failure. Until then its tokens cause no fetch. A token that needs one, or
   * a retry in the background, causes it soon after. Unit: seconds. Undefined unless the last fetch failed.
   */
  readonly nextRetrySeconds: number | undefined;
  /** What the metadata supports and lacks for MCP clients; undefined if there is no metadata. */
  readonly mcp: ComplianceReport | undefined;
}

/**
 * State of the authorization servers that became known at run time. They do not count for `isHealthy`: one customer's server must
 * not take the application away from the others.
 *
 * @publicApi
 */
export interface DynamicAuthorizationServersReport {
  /** How many are held. At most 10,000: the least recently used ones are evicted. */
  readonly count: number;
  readonly byStatus: Readonly<Record<AuthorizationServerStatus, number>>;
  /** Those that are `down` or `stale`, at most 20. */
  readonly failing: readonly AuthorizationServerReport[];
}

/** Returns the state of a server, without any fetch. @internal */
export function reportOn(
  server: Pick<AuthorizationServer, 'issuer' | 'state' | 'peek' | 'retryInSeconds'>,
  fetchedKeys: Pick<IssuerKeys, 'state' | 'retryInSeconds'> | undefined,
): AuthorizationServerReport {
  const metadata = server.state();
  const keys = fetchedKeys?.state();
  const known = server.peek();
  const states = statesOf(server, fetchedKeys);
  const pauses = [server.retryInSeconds(), fetchedKeys?.retryInSeconds()].filter(
    (each) => each !== undefined,
  );
  const failure = states.map((state) => state.failure).find((error) => error !== undefined);
  return {
    issuer: server.issuer,
    status: statusOf(states),
    metadataAgeSeconds: metadata.ageSeconds,
    keysAgeSeconds: keys?.ageSeconds,
    lastFailure: failure === undefined ? undefined : describe(failure),
    nextRetrySeconds: pauses.length === 0 ? undefined : Math.min(...pauses),
    mcp: known && complianceReport(known),
  };
}

/** Returns the status of a server, without any fetch. @internal */
export function serverStatus(...server: Parameters<typeof statesOf>): AuthorizationServerStatus {
  return statusOf(statesOf(...server));
}

function statesOf(
  server: Pick<AuthorizationServer, 'state'>,
  fetchedKeys: Pick<IssuerKeys, 'state'> | undefined,
): readonly RefreshState[] {
  const keys = fetchedKeys?.state();
  return keys ? [server.state(), keys] : [server.state()];
}

function statusOf(states: readonly RefreshState[]): AuthorizationServerStatus {
  const failing = states.filter(({ failure }) => failure !== undefined);
  if (failing.some(({ isUsable }) => !isUsable)) return 'down';
  if (failing.length > 0) return 'stale';
  return states.some(({ ageSeconds }) => ageSeconds !== undefined) ? 'up' : 'unknown';
}

/** Describes a failure without secrets. For an error that is not ours, it gives only a general text. */
function describe(failure: unknown): string {
  const attempts =
    failure instanceof BootstrapDiscoveryError ? failure.failures.flatMap((one) => one.attempts) : [failure];
  return attempts.map(describeAttempt).join('; ');
}

function describeAttempt(attempt: unknown): string {
  if (!(attempt instanceof DiscoveryError)) return 'an unexpected error';
  // The message of an error thrown by the application's function may contain anything.
  if (attempt.failure === 'transpile_failed') return '"transpileData" failed';
  return attempt.message.replace(/\?[^\s"':;,]*/g, '?…');
}
