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
import { mcpComplianceFindings } from './mcp-compliance.js';
import { type Resolution, resolveMetadata } from './resolve-metadata.js';

/** One authorization server as the package uses it: what is configured and what it says of itself. @publicApi */
export interface KnownAuthorizationServer {
  readonly options: ResolvedAuthorizationServerOptions;
  readonly metadata: AuthorizationServerMetadata;
}

/** One authorization server of one resource, and what became of it. */
interface ResolvedServer {
  readonly resource: ResolvedProtectedResourceOptions;
  readonly options: ResolvedAuthorizationServerOptions;
  readonly resolution: Resolution;
}

/**
 * Resolves every configured authorization server at bootstrap and hands them out by resource and issuer.
 *
 * @internal
 */
@Injectable()
export class AuthorizationServerRegistry {
  private readonly logger = new Logger('McpAuth');
  private readonly servers = new Map<
    ResolvedProtectedResourceOptions,
    ReadonlyMap<string, KnownAuthorizationServer>
  >();

  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions) {}

  /**
   * Asks all authorization servers at once.
   *
   * @throws {@link BootstrapDiscoveryError} naming each server that failed and each URL tried
   */
  async discover(): Promise<void> {
    const limit = new AbortController();
    // Unlike AbortSignal.timeout(), this keeps the process alive: a start that hangs ends with the error.
    const timer = setTimeout(() => {
      limit.abort(new Error('The time limit for discovery is over'));
    }, this.options.discoveryTimeoutMs);
    const settled = await this.resolveAll(limit.signal).finally(() => {
      clearTimeout(timer);
    });
    refuseFailures(settled);
    for (const { resource, options, resolution } of settled) {
      if (resolution.metadata) this.add(resource, { options, metadata: resolution.metadata });
    }
  }

  /** The authorization servers of a resource by issuer, in the configured order. */
  of(resource: ResolvedProtectedResourceOptions): ReadonlyMap<string, KnownAuthorizationServer> {
    return this.servers.get(resource) ?? new Map();
  }

  private resolveAll(signal: AbortSignal): Promise<ResolvedServer[]> {
    const { resources, fetch } = this.options;
    const pending = new Map<string, Promise<Resolution>>();
    const resolve = (server: ResolvedAuthorizationServerOptions): Promise<Resolution> => {
      const key = sharingKey(server) ?? String(pending.size);
      const resolution = pending.get(key) ?? resolveMetadata(server, { fetch, signal });
      pending.set(key, resolution);
      return resolution;
    };
    const wanted = resources.flatMap((resource) =>
      resource.authorizationServers.map((options) => ({ resource, options, resolution: resolve(options) })),
    );
    return Promise.all(
      wanted.map(async ({ resolution, ...rest }) => ({ ...rest, resolution: await resolution })),
    );
  }

  private add(resource: ResolvedProtectedResourceOptions, server: KnownAuthorizationServer): void {
    const { issuer } = server.metadata;
    if (this.of(resource).has(issuer)) {
      const path = `resource ${resource.resource}`;
      throw new McpAuthConfigError([{ path, message: `names the issuer ${issuer} twice; keep one of them` }]);
    }
    this.servers.set(resource, new Map([...this.of(resource), [issuer, server]]));
    if (server.options.mcpCompliance !== 'warn') return;
    for (const { code, message } of mcpComplianceFindings(server.metadata)) {
      this.logger.warn(`${issuer} has ${message} [${code}]`);
    }
  }
}

/** Names each server that failed once, with all that was tried for it, whichever resource it was tried for. */
function refuseFailures(settled: readonly ResolvedServer[]): void {
  const failures = new Map<string, DiscoveryError[]>();
  for (const { resource, options, resolution } of settled) {
    if (!resolution.attempts) continue;
    const server =
      options.issuer ?? options.metadataUrl ?? `the metadata given by hand for ${resource.resource}`;
    const known = failures.get(server) ?? [];
    const isNew = ({ message }: DiscoveryError): boolean => known.every((other) => other.message !== message);
    failures.set(server, [...known, ...resolution.attempts.filter(isNew)]);
  }
  if (failures.size === 0) return;
  throw new BootstrapDiscoveryError([...failures].map(([server, attempts]) => ({ server, attempts })));
}

/** Servers with the same key have the same metadata, so they are asked once. What a function may change is not shared. */
function sharingKey(server: ResolvedAuthorizationServerOptions): string | undefined {
  if (server.transpileData !== undefined || server.metadata !== undefined) return undefined;
  const { issuer, type, metadataUrl, trustDocumentIssuer, mcpCompliance, jwks } = server;
  return JSON.stringify([issuer, type, metadataUrl, trustDocumentIssuer, mcpCompliance, jwks !== undefined]);
}
