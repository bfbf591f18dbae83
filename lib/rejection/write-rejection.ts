import type { ServerResponse } from 'node:http';
import type { RejectionResponse } from './rejection-response.js';

/** The part of a node response that is used. @internal */
export type RejectionWriter = Pick<ServerResponse, 'writeHead'>;

/**
 * Writes a rejection to a node response, before Nest's pipeline. Status, headers and body are the same as for an
 * exception of the guard. Headers already set on the response, such as those of CORS, are sent too.
 *
 * @throws if the response's headers have been sent
 * @internal
 */
export function writeRejection(
  response: RejectionWriter,
  { status, headers, body }: RejectionResponse,
): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      ...headers,
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
    })
    .end(text);
}
