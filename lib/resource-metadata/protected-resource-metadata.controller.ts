import { All, Controller, Inject, Req, Res, SetMetadata, VERSION_NEUTRAL } from '@nestjs/common';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { MCP_AUTH_OPTIONS, PROTECTED_RESOURCE_WELL_KNOWN, SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { ProtectedResourceRegistry, type ServedDocument } from './protected-resource.registry.js';
import { requestPath } from './resource-metadata-url.js';

const METHODS = 'GET, HEAD, OPTIONS';

/** The part of a request that is looked at. */
interface MetadataRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: IncomingHttpHeaders;
}

/** The part of a response that is used. */
interface MetadataResponse {
  removeHeader(name: string): void;
  writeHead(status: number, headers: OutgoingHttpHeaders): { end(body?: string): void };
}

/**
 * Serves the RFC 9728 documents of all resources.
 *
 * The resources may come from an asynchronous factory, after routes are made, so one route covers the whole
 * well-known tree and the path is compared here, to the letter. The response is written directly: no
 * interceptor, serializer or CORS setting of the application changes it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3 | RFC 9728 section 3}
 * @internal
 */
@Controller({ path: PROTECTED_RESOURCE_WELL_KNOWN, version: VERSION_NEUTRAL })
@SetMetadata(SKIP_BEARER_AUTH, true)
export class ProtectedResourceMetadataController {
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  @All(['', '*path'])
  serve(@Req() request: MetadataRequest, @Res() response: MetadataResponse): void {
    const document = this.resources.documentAt(requestPath(request.originalUrl));
    // An application's own CORS setting may have put these there; they do not fit "any origin".
    response.removeHeader('access-control-allow-credentials');
    response.removeHeader('access-control-expose-headers');
    if (!document) {
      answer(
        response,
        404,
        {},
        { error: 'not_found', error_description: 'No protected resource has this metadata path' },
      );
    } else if (request.method === 'OPTIONS') {
      response.writeHead(204, preflightHeaders(request.headers)).end();
    } else if (request.method === 'GET' || request.method === 'HEAD') {
      this.send(request, response, document);
    } else {
      const body = { error: 'method_not_allowed', error_description: `Use ${METHODS}` };
      answer(response, 405, { allow: METHODS }, body);
    }
  }

  private send(request: MetadataRequest, response: MetadataResponse, { body, etag }: ServedDocument): void {
    const headers = {
      'access-control-allow-origin': '*',
      'cache-control': `public, max-age=${String(this.options.metadataMaxAgeSeconds)}`,
      etag,
    };
    if (matches(request.headers['if-none-match'], etag)) {
      response.writeHead(304, headers).end();
      return;
    }
    const length = Buffer.byteLength(body);
    response
      .writeHead(200, { ...headers, 'content-type': 'application/json', 'content-length': length })
      .end(request.method === 'HEAD' ? undefined : body);
  }
}

/** What a browser asks before it fetches from another origin; clients send MCP-Protocol-Version on discovery. */
function preflightHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return {
    allow: METHODS,
    'access-control-allow-origin': '*',
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': headers['access-control-request-headers'] ?? 'MCP-Protocol-Version',
    'access-control-max-age': '86400',
    vary: 'Access-Control-Request-Headers',
    'content-length': '0',
  };
}

function answer(
  response: MetadataResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: object,
): void {
  response
    .writeHead(status, {
      'access-control-allow-origin': '*',
      'cache-control': 'no-store',
      'content-type': 'application/json',
      ...headers,
    })
    .end(JSON.stringify(body));
}

/**
 * Weak comparison, as for GET.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 | RFC 9110 section 13.1.2}
 */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
