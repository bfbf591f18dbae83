import { Inject, Injectable } from '@nestjs/common';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { AUTHORIZATION_SERVER_WELL_KNOWN, MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type ProtectedResource, ProtectedResourceRegistry } from './protected-resource.registry.js';
import { type ServedDocument, toServedDocument } from './served-document.js';

/**
 * Serves a copy of one authorization server's metadata at the origin of the resource. Clients of MCP 2025-03-26 look for it
 * there, because they do not know RFC 9728.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-03-26/basic/authorization | MCP 2025-03-26, authorization base URL}
 * @internal
 */
@Injectable()
export class LegacyMirror {
  private owner: string | undefined;
  private server: TrustedAuthorizationServer | undefined;
  private last:
    { readonly metadata: AuthorizationServerMetadata; readonly served: ServedDocument } | undefined;

  constructor(
    private readonly resources: ProtectedResourceRegistry,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /** Whether the options enable the copy. */
  get isWanted(): boolean {
    return this.options.legacyAuthorizationServerMetadata !== false;
  }

  /** Leaves the path to a route of the application. Call before {@link choose}. */
  yieldTo(route: string): void {
    this.owner = route;
  }

  /**
   * Chooses the authorization server, if the options enable the copy. Call after discovery, when all issuers are known.
   *
   * @returns bootstrap warnings
   * @throws {@link McpAuthConfigError} if the options name an unknown issuer, or do not say which of several is meant
   */
  choose(): readonly string[] {
    const wanted = this.options.legacyAuthorizationServerMetadata;
    if (wanted === false) return [];
    const servers = new Map(this.resources.all().flatMap((resource) => [...resource.servers]));
    const issuers = [...servers.keys()];
    const chosen = wanted === true && issuers.length === 1 ? issuers[0] : wanted;
    const server = typeof chosen === 'string' ? servers.get(chosen) : undefined;
    if (!server) throw wrongChoice(wanted, issuers);
    if (this.owner !== undefined) {
      return [`${PATH_ADVICE} is served by ${this.owner} of the application, not by the package`];
    }
    this.server = server;
    return [
      `${PATH_ADVICE} is a copy of the metadata of ${server.issuer} for clients of MCP 2025-03-26; ` +
        'clients that compare the issuer with the address reject it, and find the server by RFC 9728',
    ];
  }

  /** Whether the copy is served at a path, compared exactly. */
  isAt(path: string): boolean {
    return this.server !== undefined && path === AUTHORIZATION_SERVER_WELL_KNOWN;
  }

  /** The resources whose clients may look for the copy: those that trust the server. */
  get audience(): readonly ProtectedResource[] {
    const { server } = this;
    return server ? this.resources.all().filter(({ servers }) => servers.has(server.issuer)) : [];
  }

  /**
   * Returns the document, made from the same metadata that is used to verify tokens.
   *
   * @throws {@link AuthorizationServerUnavailableError} if the metadata cannot be fetched
   */
  async document(): Promise<ServedDocument> {
    if (!this.server) throw new Error('The authorization server to mirror has not been chosen');
    const metadata = await this.server.metadata();
    if (this.last?.metadata !== metadata) this.last = { metadata, served: toServedDocument(metadata) };
    return this.last.served;
  }
}

const PATH_ADVICE = `legacyAuthorizationServerMetadata: ${AUTHORIZATION_SERVER_WELL_KNOWN}`;

function wrongChoice(wanted: string | boolean, issuers: readonly string[]): McpAuthConfigError {
  const names = issuers.map((issuer) => `"${issuer}"`).join(', ');
  const problem =
    typeof wanted === 'string'
      ? `names the issuer "${wanted}", which no resource trusts; write one of ${names}`
      : `does not say which of several authorization servers is meant; write one of ${names}`;
  return new McpAuthConfigError([{ path: 'legacyAuthorizationServerMetadata', message: problem }]);
}
