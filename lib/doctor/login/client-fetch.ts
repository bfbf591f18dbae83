import { Readable } from 'node:stream';
import type { HttpClient } from '../http.js';
import { pairs } from '../http.js';

const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/**
 * Returns a `fetch` for the official client that keeps the rules of the doctor: its certificates and headers, no redirects, no
 * private addresses that a public server names, and a time limit until the headers of an answer.
 *
 * @internal
 */
export function clientFetch(http: HttpClient): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (http.isForbidden(request.url)) throw new Error('a private address that a public server names');
    const body = Buffer.from(await request.arrayBuffer());
    return new Promise((resolve, reject) => {
      const headers = Object.fromEntries(request.headers);
      const sent = http.open({ method: request.method, url: request.url, headers });
      const timer = setTimeout(() => {
        sent.destroy(new Error('no answer within the time limit'));
      }, http.settings.timeoutMs);
      request.signal.addEventListener('abort', () => {
        sent.destroy(new Error('aborted'));
      });
      sent.on('error', reject);
      sent.on('close', () => {
        clearTimeout(timer);
      });
      sent.on('response', (response) => {
        clearTimeout(timer);
        // An abort destroys the response too; who reads the body learns of it.
        response.on('error', () => undefined);
        const status = response.statusCode ?? 0;
        const stream = Readable.toWeb(response) as unknown as BodyInit;
        const content = WITHOUT_BODY.has(status) ? null : stream;
        resolve(
          new Response(content, { status, headers: pairs(response.rawHeaders).map(([...pair]) => pair) }),
        );
      });
      sent.end(body.length > 0 ? body : undefined);
    });
  };
}
