import { Inject, Injectable } from '@nestjs/common';
import { AuthorizationServerRegistry } from '../authorization-server/authorization-server.registry.js';
import { DynamicAuthorizationServers } from '../authorization-server/dynamic-authorization-servers.js';
import { IssuerKeysRegistry } from '../authorization-server/issuer-keys.registry.js';
import {
  type AuthorizationServerReport,
  type DynamicAuthorizationServersReport,
  reportOn,
  serverStatus,
} from '../authorization-server/server-report.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { outsideRequests } from '../platform/outside-requests.js';
import { ReplayProtection } from '../request/replay-protection.js';
import { VerifiedTokenCache } from '../request/verified-token.cache.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import { TenantResources } from '../resource/tenant-resources.js';
import { SessionBinding } from '../response/session-binding.js';
import { StreamExpiry } from '../response/stream-expiry.js';
import { IntrospectionTokenVerifier } from '../token/introspection-token.verifier.js';
import { NO_CACHE } from '../token/introspection-endpoint.js';
import { IssuerTokenVerifier } from '../token/issuer-token.verifier.js';
import { VerifierRegistry } from '../token/verifier.registry.js';
import type { McpAuthReport } from './mcp-auth-report.interface.js';
import { reportOptions } from './options-report.js';
import { TokenExplainer } from './token-explainer.js';
import type { ExplainOptions, TokenExplanation } from './token-explanation.interface.js';

/** How many failing servers that became known at run time are reported. */
const MAX_FAILING = 20;

/**
 * Reports the state of the package for a health check or an operator, and explains tokens for support. Inject it.
 *
 * No route of the package serves it. What it returns is for operators: keep your routes to it internal.
 *
 * @publicApi
 */
@Injectable()
export class McpAuthDiagnostics {
  private checking: Promise<McpAuthReport> | undefined;

  /** @internal */
  constructor(
    private readonly servers: AuthorizationServerRegistry,
    private readonly dynamic: DynamicAuthorizationServers,
    private readonly keys: IssuerKeysRegistry,
    private readonly resources: ProtectedResourceRegistry,
    private readonly tokens: VerifiedTokenCache,
    private readonly introspection: IntrospectionTokenVerifier,
    private readonly sessions: SessionBinding,
    private readonly streams: StreamExpiry,
    private readonly replays: ReplayProtection,
    private readonly explainer: TokenExplainer,
    private readonly verifiers: VerifierRegistry,
    private readonly tenants: TenantResources,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /**
   * Fetches the metadata and keys of every configured authorization server now, and returns the report.
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
      .map((server) => reportOn(server, this.keys.fetchedOf(server)));
    const { queues, responses } = this.introspections();
    return {
      isHealthy: authorizationServers.every(({ status }) => status !== 'down'),
      authorizationServers,
      dynamicAuthorizationServers: this.dynamicServers(),
      tenants: this.tenants.states(),
      caches: { verifiedTokens: this.tokens.state(), introspection: responses },
      introspection: queues,
      sessions: this.sessions.state,
      streams: { open: this.streams.streams },
      replayStore: this.replays.memory.state,
      options: reportOptions(
        this.options,
        this.resources.all(),
        ({ options }) => this.verifiers.of(options) instanceof IssuerTokenVerifier,
      ),
    };
  }

  /**
   * Explains what a request with this token would be answered with: the decision, and each check of the token with what it
   * expects and finds. It runs the checks of requests.
   *
   * It sends nothing. A check that needs keys that are not fetched, or an introspection response that is not cached, is
   * `unknown`; `check()` fetches keys. The application's own verifier, `authorizationServerResolver` and `isRevoked` are not
   * called either, unless `callApplication` is set, because they may send requests. A function in `claimNames` is called.
   *
   * Nothing is cached, logged or counted, and there is no event. The result has neither the token nor its signature, but values
   * of its claims. A caller who tries tokens would learn why each is rejected, so never show it to clients.
   *
   * Not checked: Origin and Host, how the token was sent, and the scopes of an operation.
   *
   * @param token - the access token, without `Bearer`
   * @param resource - a resource's `name` or its identifier; may be left out if there is only one. For a tenant: the identifier of
   * its resource
   * @throws {@link McpAuthConfigError} if there is no such resource, or several and none is named; {@link TenantRejectedError} if
   * there is no such tenant
   */
  async explain(token: string, resource?: string, options?: ExplainOptions): Promise<TokenExplanation> {
    const ofTenant = resource === undefined ? undefined : this.tenants.finderOf(resource);
    return this.explainer.explain(token, ofTenant ? await ofTenant() : this.find(resource), options);
  }

  private find(name: string | undefined): ProtectedResource {
    const all = this.resources.all();
    const [found, ...others] = all.filter(
      ({ options }) => name === undefined || [options.name, options.resource].includes(name),
    );
    if (found && others.length === 0 && found.options.tenants === undefined) return found;
    const names = all.map(({ options }) => `"${options.name ?? options.resource}"`).join(', ');
    const message = `needs the name of a resource: one of ${names}`;
    throw new McpAuthConfigError([{ path: 'McpAuthDiagnostics.explain()', message }]);
  }

  private dynamicServers(): DynamicAuthorizationServersReport {
    const byStatus = { up: 0, stale: 0, down: 0, unknown: 0 };
    const failing: AuthorizationServerReport[] = [];
    for (const server of this.dynamic.all()) {
      const keys = this.keys.peek(server);
      const status = serverStatus(server, keys);
      byStatus[status] += 1;
      const isFailing = status === 'down' || status === 'stale';
      if (isFailing && failing.length < MAX_FAILING) failing.push(reportOn(server, keys));
    }
    return { count: this.dynamic.size, byStatus, failing };
  }

  private introspections() {
    const states = this.resources
      .all()
      .flatMap(({ options: { resource }, servers }) =>
        [...servers.values()]
          .filter(({ options }) => options.introspection !== undefined)
          .map((server) => ({ resource, server, state: this.introspection.stateOf(server) })),
      );
    return {
      queues: states.map(({ resource, server: { issuer }, state }) => {
        const { running, waiting } = state ?? { running: 0, waiting: 0 };
        return { issuer, resource, running, waiting };
      }),
      responses: states.map(({ resource, server: { issuer, options }, state }) => {
        const perKind = options.introspection?.cache?.maxEntries ?? 0;
        return { issuer, resource, ...(state?.cache ?? { ...NO_CACHE, maxEntries: 2 * perKind }) };
      }),
    };
  }
}
