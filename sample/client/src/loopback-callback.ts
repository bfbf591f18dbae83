import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browse } from './client-provider.js';

const HOST = '127.0.0.1';
const PATH = '/callback';

/**
 * Where the person's browser comes back to: a server on a free port of loopback.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8252#section-7.3 | RFC 8252 section 7.3}
 */
export class LoopbackCallback {
  private waiting: { state: string; answer: (parameters: URLSearchParams) => void } | undefined;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response: ServerResponse) => {
      this.receive(new URL(request.url ?? '', this.redirectUrl), response);
    });
  }

  static async listen(): Promise<LoopbackCallback> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, HOST, resolve);
    });
    return new LoopbackCallback(server);
  }

  get redirectUrl(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://${HOST}:${String(port)}${PATH}`;
  }

  /** @param open - shows the authorization URL to the person */
  browseWith(open: (url: URL) => unknown): Browse {
    return async (url) => {
      const answered = new Promise<URLSearchParams>((resolve) => {
        this.waiting = { state: url.searchParams.get('state') ?? '', answer: resolve };
      });
      await open(url);
      return answered;
    };
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Any page and program on this machine can send something here: only the state that is waited for counts. */
  private receive({ pathname, searchParams }: URL, response: ServerResponse): void {
    const waiting = this.waiting;
    if (pathname !== PATH || !waiting || searchParams.get('state') !== waiting.state) {
      response.writeHead(404).end();
      return;
    }
    this.waiting = undefined;
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' });
    response.end('Thank you. You can close this window.');
    waiting.answer(searchParams);
  }
}
