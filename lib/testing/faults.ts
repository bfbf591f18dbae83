import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './test-authorization-server.interface.js';

/**
 * Parts of an answer that a fault replaces, in any combination. What is not named stays as in the right answer.
 *
 * @publicApi
 */
export interface TestAnswerFault {
  /** How long the answer is held back. Unit: milliseconds. */
  readonly delayMs?: number;
  readonly status?: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The `Content-Type`. */
  readonly contentType?: string;
  /** A body sent as it is. */
  readonly body?: string;
  /** A body sent as JSON, with its content type. */
  readonly json?: unknown;
  /** A `Location`, with status 302 unless `status` says another. */
  readonly redirectTo?: string;
  /** The right JSON document, made this long by white space, without `Content-Length`. Unit: bytes. */
  readonly hugeBytes?: number;
}

/**
 * What is wrong with an endpoint.
 *
 * - `hang`: the request is read and never answered
 * - `drip`: an answer begins and goes on for ever, one byte at a time
 * - `reset`: the connection is reset
 *
 * @publicApi
 */
export type TestFault = 'hang' | 'drip' | 'reset' | TestAnswerFault;

const DRIP_INTERVAL_MS = 10;
const CHUNK = Buffer.alloc(64 * 1024, ' ');

/**
 * Answers as the fault has it.
 *
 * @param right - makes the answer that would be sent without the fault
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

/** The body and then white space, in pieces that the receiver asks for. */
function padded(body: string, bytes: number): Readable {
  function* pieces(): Generator<Buffer> {
    yield Buffer.from(body);
    let missing = bytes - Buffer.byteLength(body);
    for (; missing > 0; missing -= CHUNK.length) yield CHUNK.subarray(0, missing);
  }
  return Readable.from(pieces());
}
