import { Injectable } from '@nestjs/common';
import { BootstrapDiscoveryError, DiscoveryError } from '../errors/discovery.error.js';
import { outsideRequests } from '../platform/outside-requests.js';
import type { AuthorizationServer } from './authorization-server.js';
import { AuthorizationServerRegistry } from './authorization-server.registry.js';
import { IssuerKeysRegistry } from './issuer-keys.registry.js';
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
  /** What the metadata supports and lacks for MCP clients; undefined if there is no metadata. */
  readonly mcp: ComplianceReport | undefined;
}

/** State of all authorization servers. @publicApi */
export interface McpAuthReport {
  /** Whether no server is `down`: as far as is known, the tokens of every server can be verified. */
  readonly isHealthy: boolean;
  /** Each server once, in the configured order. */
  readonly authorizationServers: readonly AuthorizationServerReport[];
}

/**
 * Reports the state of the authorization servers, for a health check or an operator. Inject it.
 *
 * @publicApi
 */
@Injectable()
export class McpAuthDiagnostics {
  private checking: Promise<McpAuthReport> | undefined;

  /** @internal */
  constructor(
    private readonly servers: AuthorizationServerRegistry,
    private readonly keys: IssuerKeysRegistry,
  ) {}

  /**
   * Fetches the metadata and keys of every authorization server now, and returns the report.
   *
   * Use it for a readiness check: it notices a server that went down, or came back, while no tokens arrived. It does not
   * call introspection endpoints. It can be called at any rate: it fetches nothing again within 5 seconds, and concurrent
   * calls share one check. It takes as long as the slowest server: at most `discoveryTimeoutMs` plus the time limit for
   * keys. Tokens are verified with the fetched values from then on. It does not throw if a server fails.
   */
  check(): Promise<McpAuthReport> {
    // Calls share one check, so it runs in the async context of none of them.
    this.checking ??= outsideRequests(() => this.look());
    return this.checking;
  }

  private async look(): Promise<McpAuthReport> {
    try {
      await Promise.all(
        this.servers.all().map(async (server) => {
          await server.look();
          await this.keys.fetchedOf(server)?.look();
        }),
      );
      return this.report();
    } finally {
      this.checking = undefined;
    }
  }

  /** Returns the report without any fetch. Can be called at any rate, from the start of the application. */
  report(): McpAuthReport {
    const authorizationServers = this.servers
      .all()
      .map((server) => reportOn(server, this.keys.fetchedOf(server)?.state()));
    return {
      isHealthy: authorizationServers.every(({ status }) => status !== 'down'),
      authorizationServers,
    };
  }
}

function reportOn(server: AuthorizationServer, keys: RefreshState | undefined): AuthorizationServerReport {
  const metadata = server.state();
  const known = server.peek();
  const states = keys ? [metadata, keys] : [metadata];
  const failure = states.map((state) => state.failure).find((error) => error !== undefined);
  return {
    issuer: server.issuer,
    status: statusOf(states),
    metadataAgeSeconds: metadata.ageSeconds,
    keysAgeSeconds: keys?.ageSeconds,
    lastFailure: failure === undefined ? undefined : describe(failure),
    mcp: known && complianceReport(known),
  };
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
