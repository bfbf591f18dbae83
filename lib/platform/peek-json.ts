import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { type Hook, nodeRequestOf } from './node-message.js';

/** A Node request, of HTTP/1 or HTTP/2. */
type NodeRequest = Readable & {
  /** Once it has been read ahead. */
  body?: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly complete?: boolean;
  readonly stream?: { readonly readableEnded?: boolean } | undefined;
};

/** A body that cannot be read ahead, with the status of the rejection, as errors of body parsers have it. */
function unreadable(message: string, statusCode: number, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { statusCode });
}

/**
 * Returns a parser that reads the body of a request ahead: it sets `body` to the parsed JSON, and leaves the bytes in the
 * request, so that the platform and its plugins read them again as they would have done. For platforms that read bodies
 * only after all middleware. It reads a request once, as what is put back cannot be read ahead again at once.
 *
 * @param limit - in bytes; a longer body is an error with status 413
 * @internal
 */
export function jsonPeeker(limit: number): Hook {
  return (request, _response, next) => {
    const node = nodeRequestOf(request) as NodeRequest;
    const own = request as { body?: unknown };
    if (node.body !== undefined) {
      own.body = node.body;
      next();
      return;
    }
    peek(node, limit, (error, bytes) => {
      if (error) {
        next(error);
        return;
      }
      try {
        own.body = node.body = JSON.parse(String(bytes));
      } catch (cause) {
        next(unreadable('The body is not JSON', 400, cause));
        return;
      }
      next();
    });
  };
}

/**
 * Restores the body object that was read ahead, if the platform has parsed an equal one: decisions are cached by that
 * object.
 *
 * @internal
 */
export function keepPeeked(request: object): void {
  const node = nodeRequestOf(request) as NodeRequest;
  const own = request as { body?: unknown };
  if (node === request || node.body === undefined || own.body === node.body) return;
  if (isEqual(own.body, node.body)) own.body = node.body;
}

/** Bodies that are nested too deeply to be compared count as different: the platform's body is authorized again. */
function isEqual(one: unknown, other: unknown): boolean {
  try {
    return isDeepStrictEqual(one, other);
  } catch {
    return false; // a RangeError: the comparison is recursive, and JSON.parse() is not
  }
}

/** Reads all bytes and puts them back before the stream has ended: after that it takes none. */
function peek(node: NodeRequest, limit: number, done: (error?: Error, bytes?: Buffer) => void): void {
  if (!node.readable || node.readableEncoding !== null) {
    done(unreadable('The body has been read already', 500));
    return;
  }
  const length = Number(node.headers['content-length'] ?? Number.NaN);
  const chunks: Buffer[] = [];
  let received = 0;
  const finish = (error?: Error): void => {
    node.off('readable', read).off('end', lose).off('error', lose).off('close', lose);
    if (error) {
      // The rest is of no use, and would keep the connection from its next request.
      node.resume();
      done(error);
      return;
    }
    const bytes = Buffer.concat(chunks);
    node.unshift(bytes);
    done(undefined, bytes);
  };
  const lose = (): void => {
    finish(unreadable('The body could not be read ahead', 400));
  };
  const read = (): void => {
    for (let chunk = node.read() as Buffer | null; chunk !== null; chunk = node.read() as Buffer | null) {
      chunks.push(chunk);
      received += chunk.length;
    }
    if (received > limit || length > limit) finish(unreadable('The body is too large', 413));
    else if (received > 0 && (received === length || isComplete(node))) finish();
  };
  node.on('readable', read).on('end', lose).on('error', lose).on('close', lose);
}

/** Whether the whole body has arrived. An HTTP/2 request shows it only after it has ended, its stream before. */
function isComplete({ complete, stream }: NodeRequest): boolean {
  return complete === true || stream?.readableEnded === true;
}
