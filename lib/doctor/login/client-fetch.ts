import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type HttpClient, isEventStream, MAX_BODY_BYTES, pairs } from '../http.js';

const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/**
 * Returns a `fetch` for the official client that keeps the rules of the doctor: its certificates and headers, limits of time and
 * size, no redirects, and no private addresses that a public server names. Event streams have no time limit: they last as long
 * as the client.
 *
 * @internal
 */
export function clientFetch(http: HttpClient): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (http.isForbidden(request.url)) throw new Error('a private address that a public server names');
    return send(http, request, Buffer.from(await request.arrayBuffer()));
  };
}

function send(http: HttpClient, request: Request, body: Buffer): Promise<Response> {
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(request.headers);
    const sent = http.open({ method: request.method, url: request.url, headers });
    const timer = setTimeout(() => {
      sent.destroy(new Error('no complete answer within the time limit'));
    }, http.settings.timeoutMs);
    request.signal.addEventListener('abort', () => {
      sent.destroy(new Error('aborted'));
    });
    sent.on('error', reject);
    sent.on('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed without an answer'));
    });
    sent.on('response', (response) => {
      if (isEventStream(response)) clearTimeout(timer);
      resolve(responseOf(response));
    });
    sent.end(body.length > 0 ? body : undefined);
  });
}

function responseOf(response: IncomingMessage): Response {
  const status = response.statusCode ?? 0;
  const headers = pairs(response.rawHeaders).map(([...pair]) => pair);
  if (!WITHOUT_BODY.has(status)) {
    const body = Readable.toWeb(Readable.from(limited(response))) as unknown as BodyInit;
    return new Response(body, { status, headers });
  }
  response.resume();
  return new Response(null, { status, headers });
}

async function* limited(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('an answer of more than 1 MB');
    yield chunk;
  }
}
