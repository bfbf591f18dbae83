import { Inject, Injectable } from '@nestjs/common';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type PlatformRequest } from '../platform/hooks.js';
import { type PlatformResponse, takeResponse } from '../platform/node-message.js';
import { metadataResponse } from './metadata-response.js';
import { ProtectedResourceRegistry, type ServedDocument } from './protected-resource.registry.js';
import { requestPath } from './resource-metadata-url.js';

/** The part of a platform's request that is used. @internal */
export type WellKnownRequest = Pick<IncomingMessage, 'headers'> & {
  readonly method: string;
  readonly originalUrl: string;
};

/** What an application's own CORS setting may have put on a response; it does not fit "any origin". */
const FOREIGN_CORS = ['access-control-allow-credentials', 'access-control-expose-headers', 'vary'];

/**
 * Writes the answers of the well-known tree. It writes them itself, so that no interceptor, serializer or CORS
 * setting of the application changes them.
 *
 * @internal
 */
@Injectable()
export class WellKnownResponder {
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /** Answers a request that the platform has routed to the well-known tree. */
  respond({ method, headers, originalUrl }: WellKnownRequest, response: PlatformResponse): void {
    this.write({ method, headers }, this.documentAt(originalUrl), takeResponse(response));
  }

  /**
   * Answers a preflight for one of the documents, where an application's own CORS setting would answer it with its own
   * origins.
   *
   * @returns whether it was one
   */
  respondToPreflight({ method, headers, url = '' }: PlatformRequest, response: PlatformResponse): boolean {
    const document = method === 'OPTIONS' ? this.documentAt(url) : undefined;
    if (document) this.write({ method: 'OPTIONS', headers }, document, takeResponse(response));
    return document !== undefined;
  }

  private documentAt(target: string): ServedDocument | undefined {
    return this.resources.documentAt(requestPath(target));
  }

  private write(
    request: Pick<WellKnownRequest, 'method' | 'headers'>,
    document: ServedDocument | undefined,
    response: ServerResponse,
  ): void {
    const { status, headers, body } = metadataResponse(request, document, this.options.metadataMaxAgeSeconds);
    for (const name of FOREIGN_CORS) response.removeHeader(name);
    response.writeHead(status, headers).end(body);
  }
}
