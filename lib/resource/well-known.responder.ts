import { Inject, Injectable } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AuthorizationServerUnavailableError, TenantRejectedError } from '../errors/rejection.errors.js';
import { describeThrown } from '../events/escape-for-log.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type PlatformRequest, type PlatformResponse, takeResponse } from '../platform/node-message.js';
import { LegacyMirror } from './legacy-mirror.js';
import {
  documentResponse,
  faultResponse,
  type MetadataRequest,
  type MetadataResponse,
  noDocumentResponse,
  otherMethodResponse,
  readsDocument,
  unavailableResponse,
  unknownNowResponse,
} from './metadata-response.js';
import { type ProtectedResource, ProtectedResourceRegistry } from './protected-resource.registry.js';
import { requestPath } from './resource-metadata-url.js';
import type { ServedDocument } from './served-document.js';
import { TenantResources } from './tenant-resources.js';

/** The part of a platform's request that the responder uses. @internal */
export type WellKnownRequest = Pick<IncomingMessage, 'headers'> & {
  readonly method: string;
  readonly originalUrl: string;
};

/**
 * Headers that the application's CORS setting or session may have set. They do not fit a document for any origin, which
 * shared caches may store.
 */
const FOREIGN_HEADERS = [
  'access-control-allow-credentials',
  'access-control-expose-headers',
  'set-cookie',
  'vary',
];

/** The path of every document has it, in every form of a request target. */
const WELL_KNOWN = '/.well-known/';

const NONE: readonly never[] = [];

/**
 * Writes the responses of the well-known routes. It writes to Node's response, so that no interceptor, serializer or
 * CORS setting of the application changes them.
 *
 * @internal
 */
@Injectable()
export class WellKnownResponder {
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    private readonly mirror: LegacyMirror,
    private readonly tenants: TenantResources,
    private readonly log: RateLimitedLogger,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /** Answers a request that the platform has routed to a well-known controller. */
  async respond(
    { method, headers, originalUrl }: WellKnownRequest,
    response: PlatformResponse,
  ): Promise<void> {
    const node = takeResponse(response);
    write(node, await this.responseTo({ method, headers }, requestPath(originalUrl)));
  }

  /**
   * Answers a request to a document that does not read it, before the platform does.
   *
   * The platform would reject a body that it cannot parse before routing, and leave preflights to the application's CORS
   * setting.
   *
   * @returns whether it has answered the request
   */
  respondEarly(request: PlatformRequest, response: PlatformResponse): boolean {
    const early = this.earlyResponse(request);
    if (early) write(takeResponse(response), early);
    return early !== undefined;
  }

  /** Whether a document is served at the path of a request target. */
  servesAt(target: string): boolean {
    return this.isDocument(requestPath(target));
  }

  /** Returns the response of {@link respondEarly}, or undefined if it does not answer. */
  earlyResponse(request: PlatformRequest): MetadataResponse | undefined {
    const { url = '' } = request;
    if (!url.includes(WELL_KNOWN)) return undefined;
    const { method = '' } = request;
    if (readsDocument(method) || !this.isDocument(requestPath(url))) return undefined;
    return otherMethodResponse({ method, headers: request.headers });
  }

  /** Returns the resources of the requested document, or none if the request is not for a document. */
  resourcesAt({ url = '' }: PlatformRequest): readonly ProtectedResource[] {
    if (!url.includes(WELL_KNOWN)) return NONE;
    const path = requestPath(url);
    const described = this.resources.describedAt(path) ?? this.tenants.describedAt(path);
    if (described) return [described];
    return this.mirror.isAt(path) ? this.mirror.audience : [];
  }

  private isDocument(path: string): boolean {
    return (
      this.resources.documentAt(path) !== undefined ||
      this.mirror.isAt(path) ||
      this.tenants.describedAt(path) !== undefined
    );
  }

  private async responseTo(request: MetadataRequest, path: string): Promise<MetadataResponse> {
    if (!this.isDocument(path)) return noDocumentResponse();
    if (!readsDocument(request.method)) return otherMethodResponse(request);
    let document: ServedDocument;
    try {
      document =
        this.resources.documentAt(path) ??
        (await this.tenants.documentAt(path)) ??
        (await this.mirror.document());
    } catch (error) {
      if (error instanceof AuthorizationServerUnavailableError) return unavailableResponse();
      if (!this.tenants.describedAt(path)) throw error;
      return this.tenantFailure(error);
    }
    return documentResponse(request, document, this.options.metadataMaxAgeSeconds);
  }

  private tenantFailure(error: unknown): MetadataResponse {
    const isRejected = error instanceof TenantRejectedError;
    if (isRejected && error.reason === 'unknown_tenant') return noDocumentResponse();
    const kind = 'the document of a tenant cannot be made';
    this.log.write('error', kind, `${kind}: ${describeThrown(isRejected ? error.cause : error)}`);
    return isRejected ? unknownNowResponse() : faultResponse();
  }
}

function write(response: ServerResponse, { status, headers, body }: MetadataResponse): void {
  for (const name of FOREIGN_HEADERS) response.removeHeader(name);
  response.writeHead(status, headers).end(body);
}
