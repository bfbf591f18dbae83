import { Inject, Injectable, Logger } from '@nestjs/common';
import { McpAuthConfigError } from '../errors/config.error.js';
import { BootstrapDiscoveryError, type DiscoveryError } from '../errors/discovery.error.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type AuthorizationServerMetadata } from '../options/mcp-auth-options.interface.js';
import {
  type ResolvedAuthorizationServerOptions,
  type ResolvedMcpAuthOptions,
  type ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import { AuthorizationServer } from './authorization-server.js';
import { mcpComplianceFindings } from './mcp-compliance.js';
import { resolveMetadata } from './resolve-metadata.js';

/**
 * Holds every configured authorization server, resolves them at bootstrap, and hands them out by resource and
 * issuer. Servers that are configured alike are one, whichever resources trust them.
 *
 * @internal
 */
@Injectable()
export class AuthorizationServerRegistry {
  private readonly logger = new Logger('McpAuth');
  private readonly shared = new Map<string, AuthorizationServer>();
  private readonly trusted = new Map<ResolvedProtectedResourceOptions, readonly AuthorizationServer[]>();
  private readonly byIssuer = new Map<
    ResolvedProtectedResourceOptions,
    ReadonlyMap<string, AuthorizationServer>
  >();
  private readonly warned = new Set<ResolvedAuthorizationServerOptions>();
  /** Ends the requests of the bootstrap; undefined after it, when each request has its own limit only. */
  private bootstrapLimit: AbortSignal | undefined;

  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions) {
    for (const resource of options.resources) {
      this.trusted.set(
        resource,
        resource.authorizationServers.map((server) => this.shareOrMake(server, resource)),
      );
    }
  }

  /**
   * Asks all authorization servers at once, unless discovery is lazy.
   *
   * @throws {@link BootstrapDiscoveryError} naming each server that failed and each URL tried, unless failures
   * are to be retried
   */
  async discover(): Promise<void> {
    if (this.options.discovery === 'bootstrap') await this.resolveAll();
    for (const resource of this.options.resources) this.byIssuer.set(resource, this.index(resource));
  }

  /** The authorization servers of a resource by issuer, in the configured order. After {@link discover}. */
  of(resource: ResolvedProtectedResourceOptions): ReadonlyMap<string, AuthorizationServer> {
    return this.byIssuer.get(resource) ?? new Map();
  }

  /** Every authorization server once. */
  all(): readonly AuthorizationServer[] {
    return [...new Set([...this.trusted.values()].flat())];
  }

  private async resolveAll(): Promise<void> {
    const limit = new AbortController();
    // Unlike AbortSignal.timeout(), this keeps the process alive: a start that hangs ends with the error.
    const timer = setTimeout(() => {
      limit.abort(new Error('The time limit for discovery is over'));
    }, this.options.discoveryTimeoutMs);
    this.bootstrapLimit = limit.signal;
    const settled = await Promise.allSettled(this.all().map((server) => server.resolve()));
    this.bootstrapLimit = undefined;
    clearTimeout(timer);
    const reasons = settled.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    if (reasons.length > 0) this.refuseOrRetry(reasons);
  }

  private refuseOrRetry(reasons: readonly unknown[]): void {
    const error = mergeFailures(reasons);
    if (this.options.onDiscoveryFailure === 'fail') throw error;
    this.logger.error(
      `${error.message}\nThe application starts; it asks again when tokens of these servers come.`,
    );
  }

  private index(resource: ResolvedProtectedResourceOptions): ReadonlyMap<string, AuthorizationServer> {
    const index = new Map<string, AuthorizationServer>();
    for (const server of this.trusted.get(resource) ?? []) {
      const { issuer } = server;
      if (index.has(issuer)) {
        const path = `resource ${resource.resource}`;
        throw new McpAuthConfigError([
          { path, message: `names the issuer ${issuer} twice; keep one of them` },
        ]);
      }
      index.set(issuer, server);
    }
    return index;
  }

  private shareOrMake(
    options: ResolvedAuthorizationServerOptions,
    { resource }: ResolvedProtectedResourceOptions,
  ): AuthorizationServer {
    const key = sharingKey(options);
    const shared = key === undefined ? undefined : this.shared.get(key);
    if (shared) return shared;
    const server: AuthorizationServer = new AuthorizationServer(options, () => this.load(options, resource), {
      freshSeconds: this.options.metadataRefreshSeconds,
      now: this.options.now,
      onFailed: (error) => {
        if (!this.bootstrapLimit) this.logger.warn(describeFailure(error));
      },
    });
    if (key !== undefined) this.shared.set(key, server);
    return server;
  }

  private async load(
    options: ResolvedAuthorizationServerOptions,
    resource: string,
  ): Promise<AuthorizationServerMetadata> {
    const { fetch, discoveryTimeoutMs } = this.options;
    const signal = this.bootstrapLimit ?? AbortSignal.timeout(discoveryTimeoutMs);
    const { metadata, attempts } = await resolveMetadata(options, { fetch, signal });
    if (!metadata) throw new BootstrapDiscoveryError([{ server: nameOf(options, resource), attempts }]);
    // Once: a document that is renewed says the same again.
    if (options.mcpCompliance === 'warn' && !this.warned.has(options)) {
      this.warned.add(options);
      for (const { code, message } of mcpComplianceFindings(metadata)) {
        this.logger.warn(`${metadata.issuer} has ${message} [${code}]`);
      }
    }
    return metadata;
  }
}

function nameOf({ issuer, metadataUrl }: ResolvedAuthorizationServerOptions, resource: string): string {
  return issuer ?? metadataUrl ?? `the metadata given by hand for ${resource}`;
}

function describeFailure(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Names each server that failed once, with all that was tried for it, however often it is configured. */
function mergeFailures(reasons: readonly unknown[]): BootstrapDiscoveryError {
  const failures = new Map<string, DiscoveryError[]>();
  for (const reason of reasons) {
    if (!(reason instanceof BootstrapDiscoveryError)) throw reason;
    for (const { server, attempts } of reason.failures) {
      const known = failures.get(server) ?? [];
      const isNew = ({ message }: DiscoveryError): boolean =>
        known.every((other) => other.message !== message);
      failures.set(server, [...known, ...attempts.filter(isNew)]);
    }
  }
  return new BootstrapDiscoveryError([...failures].map(([server, attempts]) => ({ server, attempts })));
}

/** Servers with the same key are configured alike, so they are one. What a function or an object decides is not shared. */
function sharingKey(server: ResolvedAuthorizationServerOptions): string | undefined {
  const { transpileData, metadata, jwks, introspection } = server;
  const isOwn = [transpileData, metadata, jwks, introspection].some((option) => option !== undefined);
  return isOwn ? undefined : JSON.stringify(server);
}
