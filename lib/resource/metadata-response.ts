import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { ServedDocument } from './served-document.js';

const METHODS = 'GET, HEAD, OPTIONS';

/** How long a client should wait before it retries an unavailable document, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/** The part of a request to the well-known tree that the response depends on. @internal */
export interface MetadataRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** A response, ready to be written. @internal */
export interface MetadataResponse {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
}

/** Whether a method reads the document, so that it must be available. @internal */
export function readsDocument(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Returns the response to GET and HEAD.
 *
 * @param request - method and headers
 * @param document - the document at the requested path
 * @param maxAgeSeconds - how long clients may cache it
 * @internal
 */
export function documentResponse(
  { method, headers: asked }: MetadataRequest,
  { body, etag }: ServedDocument,
  maxAgeSeconds: number,
): MetadataResponse {
  const headers = {
    'access-control-allow-origin': '*',
    'cache-control': `public, max-age=${String(maxAgeSeconds)}`,
    etag,
  };
  if (matches(asked['if-none-match'], etag)) return { status: 304, headers };
  const described = {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return { status: 200, headers: described, ...(method === 'GET' && { body }) };
}

/** Returns the response to other methods at a document's path. It does not depend on the document. @internal */
export function otherMethodResponse({ method, headers }: MetadataRequest): MetadataResponse {
  if (method === 'OPTIONS') return { status: 204, headers: preflightHeaders(headers) };
  return failure(405, 'method_not_allowed', `Use ${METHODS}`, { allow: METHODS });
}

/** Returns the response at every path without a document. @internal */
export function noDocumentResponse(): MetadataResponse {
  return failure(404, 'not_found', 'No protected resource has this metadata path');
}

/** Returns the response if a document of an authorization server could not be fetched. @internal */
export function unavailableResponse(): MetadataResponse {
  return failure(503, 'temporarily_unavailable', 'The authorization server cannot be reached', {
    'retry-after': String(RETRY_AFTER_SECONDS),
  });
}

/** Returns the response if the resource of a tenant is not known now. @internal */
export function unknownNowResponse(): MetadataResponse {
  return failure(503, 'temporarily_unavailable', 'The protected resource is not known at the moment', {
    'retry-after': String(RETRY_AFTER_SECONDS),
  });
}

/** Returns the response if the application gives no valid options for a tenant. @internal */
export function faultResponse(): MetadataResponse {
  return failure(500, 'server_error', 'The document could not be made');
}

/** Returns the headers of a CORS preflight response. Clients send MCP-Protocol-Version on discovery. */
function preflightHeaders(asked: IncomingHttpHeaders): OutgoingHttpHeaders {
  return {
    allow: METHODS,
    'access-control-allow-origin': '*',
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': asked['access-control-request-headers'] ?? 'MCP-Protocol-Version',
    'access-control-max-age': '86400',
    vary: 'Access-Control-Request-Headers',
  };
}

function failure(
  status: number,
  error: string,
  description: string,
  headers?: OutgoingHttpHeaders,
): MetadataResponse {
  return {
    status,
    headers: {
      'access-control-allow-origin': '*',
      'cache-control': 'no-store',
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify({ error, error_description: description }),
  };
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
