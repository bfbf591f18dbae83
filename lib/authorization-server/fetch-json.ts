import { types } from 'node:util';
import { DiscoveryError } from '../errors/discovery.error.js';
import { untilAborted } from '../platform/deadline.js';

const { isNativeError } = types;

/** Options for fetching one document. @internal */
export interface FetchJsonOptions {
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Sent in addition to `Accept` and `User-Agent`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the request early; the failure is then a `timeout` too. */
  readonly signal?: AbortSignal;
}

/**
 * Fetches a JSON object within limits: one GET, status 200, no redirects, no cookies and no credentials. Time and size
 * are limited while it streams. The media type is not checked.
 *
 * @throws {@link DiscoveryError} if the document cannot be fetched
 * @internal
 */
export async function fetchJson(url: string, options: FetchJsonOptions): Promise<Record<string, unknown>> {
  const limit = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([limit, options.signal]) : limit;
  try {
    return await untilAborted(signal, get(url, options, signal));
  } catch (error) {
    if (error instanceof DiscoveryError) throw error;
    // The reference here keeps the signal from being garbage-collected; then it would never fire.
    if (limit.aborted || signal.aborted) {
      throw new DiscoveryError('timeout', url, 'no complete answer within the time limit', { cause: error });
    }
    throw new DiscoveryError('unreachable', url, `cannot be reached (${rootCause(error)})`, { cause: error });
  }
}

async function get(
  url: string,
  options: FetchJsonOptions,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const response = await options.fetch(url, {
    headers: requestHeaders(options.headers),
    redirect: 'manual',
    credentials: 'omit',
    signal,
  });
  await assertUsable(url, response);
  const text = await readText(response, options.maxBytes);
  if (text === undefined) {
    throw new DiscoveryError('too_large', url, `is larger than ${String(options.maxBytes)} bytes`);
  }
  return parseObject(url, text);
}

/** Adds `Accept`, and a `User-Agent` for the logs of the server unless one is given. */
function requestHeaders(given: Readonly<Record<string, string>> = {}): Headers {
  const headers = new Headers({ ...given });
  if (!headers.has('user-agent')) headers.set('user-agent', 'nestjs-mcp-auth');
  headers.set('accept', 'application/json');
  return headers;
}

async function assertUsable(url: string, response: Response): Promise<void> {
  const { status } = response;
  if (status === 200) return;
  await response.body?.cancel();
  if (status >= 500) throw new DiscoveryError('server_error', url, `answered ${String(status)}`);
  if (status === 0 || (status >= 300 && status < 400)) {
    throw new DiscoveryError('redirected', url, 'answered with a redirect; redirects are not followed');
  }
  if (status >= 400) throw new DiscoveryError('not_found', url, `answered ${String(status)}`);
  throw new DiscoveryError('not_json', url, `answered ${String(status)}, not 200`);
}

/** Returns the body of a response; undefined if it is too large. The rest is not read then. @internal */
export async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = response.body ?? [];
  for await (const chunk of body) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream, so nothing beyond this chunk is read.
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseObject(url: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DiscoveryError('not_json', url, 'answered 200 with something that is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DiscoveryError('not_json', url, 'answered 200 with JSON that is not an object');
  }
  return value as Record<string, unknown>;
}

/** Returns the innermost reason, such as `connect ECONNREFUSED 127.0.0.1:4000`. fetch says only "fetch failed". */
function rootCause(error: unknown): string {
  // instanceof does not work in jest: there Node's errors come from another realm than this code.
  if (!isNativeError(error)) return String(error);
  const { cause } = error;
  if (!isNativeError(cause)) return error.message;
  const { errors: [first] = [] } = cause as Partial<AggregateError>;
  return rootCause(first ?? cause);
}
