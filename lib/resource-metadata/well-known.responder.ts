import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { metadataResponse } from './metadata-response.js';
import { ProtectedResourceRegistry } from './protected-resource.registry.js';
import { requestPath } from './resource-metadata-url.js';

/** The part of an Express request that is used. @internal */
export type WellKnownRequest = Pick<IncomingMessage, 'headers'> & {
  readonly method: string;
  readonly originalUrl: string;
};

/** The part of an Express response that is used. @internal */
export interface WellKnownResponse {
  removeHeader(name: string): void;
  writeHead(status: number, headers: OutgoingHttpHeaders): { end(body?: string): void };
}

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
    host: HttpAdapterHost,
  ) {
    this.answerPreflightsFirst(host);
  }

  respond(request: WellKnownRequest, response: WellKnownResponse): void {
    const document = this.resources.documentAt(requestPath(request.originalUrl));
    const { status, headers, body } = metadataResponse(request, document, this.options.metadataMaxAgeSeconds);
    for (const name of FOREIGN_CORS) response.removeHeader(name);
    response.writeHead(status, headers).end(body);
  }

  /**
   * Providers are made while `NestFactory.create()` runs, so this stands before what an application adds
   * afterwards: its `enableCors()` would answer a preflight itself, with its own origins. Where there is no
   * adapter yet, as in a testing module, preflights come to the controller like other requests.
   */
  private answerPreflightsFirst({ httpAdapter }: HttpAdapterHost): void {
    const adapter = httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter?.getType() !== 'express') return;
    adapter.use((request: WellKnownRequest, response: WellKnownResponse, next: () => void) => {
      const isPreflight =
        request.method === 'OPTIONS' && this.resources.documentAt(requestPath(request.originalUrl));
      if (isPreflight) this.respond(request, response);
      else next();
    });
  }
}
