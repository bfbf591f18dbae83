import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './test-authorization-server.interface.js';

/**
 * Parts of a response that a fault replaces, in any combination. Parts left out stay as in the correct response.
 *
 * @publicApi
 */
export interface TestAnswerFault {
  /** Delay of the response. Unit: milliseconds. */
  readonly delayMs?: number;
  readonly status?: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The `Content-Type`. */
  readonly contentType?: string;
  /** A body, sent unchanged. */
  readonly body?: string;
  /** A body sent as JSON, with its content type. */
  readonly json?: unknown;
  /** The `Location` of a redirect. The status is 302, unless `status` sets another. */
  readonly redirectTo?: string;
  /** Pads the correct JSON document with white space to this size, without `Content-Length`. Unit: bytes. */
  readonly hugeBytes?: number;
}

/**
 * The way in which an endpoint fails.
 *
 * - `hang`: the server reads the request and never responds
 * - `drip`: the server starts a response and never ends it, one byte at a time
 * - `reset`: the server resets the connection
 *
 * @publicApi
 */
export type TestFault = 'hang' | 'drip' | 'reset' | TestAnswerFault;

const DRIP_INTERVAL_MS = 10;
const CHUNK = Buffer.alloc(64 * 1024, ' ');

/**
 * Sends the response that a fault describes.
 *
 * @param right - makes the response that would be sent without the fault
 * @internal
 */
export async function answerWith(
  fault: TestFault,
  response: ServerResponse,
  right: () => Promise<Answer>,
): Promise<void> {
  if (fault === 'hang') return;
  if (fault === 'drip') {
    drip(response);
    return;
  }
  if (fault === 'reset') {
    response.req.socket.resetAndDestroy();
    return;
  }
  if (fault.delayMs !== undefined) await delay(fault.delayMs, undefined, { ref: false });
  const { status, headers, body } = changed(await right(), fault);
  response.writeHead(status, headers);
  if (fault.hugeBytes === undefined) response.end(body);
  else padded(body, fault.hugeBytes).pipe(response);
}

function changed(right: Answer, fault: TestAnswerFault): Answer {
  const { redirectTo, json } = fault;
  return {
    status: fault.status ?? (redirectTo === undefined ? right.status : 302),
    headers: {
      ...right.headers,
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(fault.contentType !== undefined && { 'content-type': fault.contentType }),
      ...(redirectTo !== undefined && { location: redirectTo }),
      ...fault.headers,
    },
    body: fault.body ?? (json === undefined ? right.body : JSON.stringify(json)),
  };
}

function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), DRIP_INTERVAL_MS);
  timer.unref();
  response.on('close', () => {
    clearInterval(timer);
  });
}

/** Returns a stream of the body and then white space, in chunks. */
function padded(body: string, bytes: number): Readable {
  function* pieces(): Generator<Buffer> {
    yield Buffer.from(body);
    let missing = bytes - Buffer.byteLength(body);
    for (; missing > 0; missing -= CHUNK.length) yield CHUNK.subarray(0, missing);
  }
  return Readable.from(pieces());
}
