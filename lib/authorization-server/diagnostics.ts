import { Injectable } from '@nestjs/common';
import { BootstrapDiscoveryError, DiscoveryError } from '../errors/discovery.error.js';
import { outsideRequests } from '../platform/outside-requests.js';
import type { AuthorizationServer } from './authorization-server.js';
import { AuthorizationServerRegistry } from './authorization-server.registry.js';
import { IssuerKeysRegistry } from './issuer-keys.registry.js';
import { type ComplianceReport, complianceReport } from './mcp-compliance.js';
import type { RefreshState } from './refreshed-value.js';

/**
 * How it stands with an authorization server, from the last time that something was asked of it: when a token needed it, in
 * the background after a failure, or by {@link McpAuthDiagnostics.check}.
 *
 * - `up`: what was asked last came
 * - `stale`: what was asked last did not come; what is there from before serves for a while
 * - `down`: what was asked last did not come, and nothing is there to serve: its tokens get 503
 * - `unknown`: nothing was asked yet
 *
 * @publicApi
 */
export type AuthorizationServerStatus = 'up' | 'stale' | 'down' | 'unknown';

/** How it stands with one authorization server. @publicApi */
export interface AuthorizationServerReport {
  readonly issuer: string;
  readonly status: AuthorizationServerStatus;
  /** Since the metadata was asked for. Unit: seconds. Undefined when there is none. */
  readonly metadataAgeSeconds: number | undefined;
  /** Since the keys were asked for. Unit: seconds. Undefined when there are none, or they are configured. */
  readonly keysAgeSeconds: number | undefined;
  /** What failed last, unless it has worked since. Queries of URLs are left out, as they may hold secrets. */
  readonly lastFailure: string | undefined;
  /** What the metadata says about MCP clients; undefined where there is no metadata. */
  readonly mcp: ComplianceReport | undefined;
}

/** How it stands with all authorization servers. @publicApi */
export interface McpAuthReport {
  /** Whether the tokens of every server can be checked, as far as is known: none of them is `down`. */
  readonly isHealthy: boolean;
  /** Each server once, in the configured order. */
  readonly authorizationServers: readonly AuthorizationServerReport[];
}

/**
 * Tells how it stands with the authorization servers, for a health check or an operator. Inject it.
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
   * Asks every authorization server for its metadata and its keys now, and reports. For a readiness check: it sees a server
   * that went down, or came back, while no tokens came. Introspection endpoints are not asked.
   *
   * May be called as often as wanted: what was asked within the last 5 seconds is not asked again, and calls at the same
   * time share one look. Takes as long as the slowest server: `discoveryTimeoutMs` and the time limit for keys at most.
   * What is renewed lets the tokens of that server be verified anew. Does not throw when a server fails.
   */
  check(): Promise<McpAuthReport> {
    // Calls share the look, so it runs in the async context of none of them.
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

  /** Asks nobody, so it may be called as often as wanted. Good from the start of the application on. */
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

/** What went wrong, in words without secrets: of an error that is not ours only its kind. */
function describe(failure: unknown): string {
  const attempts =
    failure instanceof BootstrapDiscoveryError ? failure.failures.flatMap((one) => one.attempts) : [failure];
  return attempts.map(describeAttempt).join('; ');
}

function describeAttempt(attempt: unknown): string {
  if (!(attempt instanceof DiscoveryError)) return 'an unexpected error';
  // What a function of the application threw may say anything.
  if (attempt.failure === 'transpile_failed') return '"transpileData" failed';
  return attempt.message.replace(/\?[^\s"':;,]*/g, '?…');
}
