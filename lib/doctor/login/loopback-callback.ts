import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';
const PATH = '/callback';

/**
 * The place to which the person's browser returns: a server on loopback that takes one answer, by its state.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8252#section-7.3 | RFC 8252 section 7.3}
 * @internal
 */
export class LoopbackCallback {
  private waiting: { state: string; answer: (parameters: URLSearchParams) => void } | undefined;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response: ServerResponse) => {
      this.receive(request.url ?? '', response);
    });
  }

  /** @param port - 0 takes a free one @throws Error if the port is taken */
  static async listen(port: number): Promise<LoopbackCallback> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, resolve);
    });
    return new LoopbackCallback(server);
  }

  get redirectUrl(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://${HOST}:${String(port)}${PATH}`;
  }

  /**
   * Returns the parameters that come back with a state.
   *
   * @throws Error if none come within the time limit
   */
  answerTo(state: string, timeoutMs: number): Promise<URLSearchParams> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting = undefined;
        reject(new Error('the user did not sign in within the time limit'));
      }, timeoutMs);
      this.waiting = {
        state,
        answer: (parameters) => {
          clearTimeout(timer);
          resolve(parameters);
        },
      };
    });
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Every page and program on this machine can send something here. Only the awaited state counts. */
  private receive(target: string, response: ServerResponse): void {
    const [path, query = ''] = target.split('?', 2);
    const parameters = new URLSearchParams(query);
    const waiting = this.waiting;
    if (path !== PATH || !waiting || parameters.get('state') !== waiting.state) {
      response.writeHead(404).end();
      return;
    }
    this.waiting = undefined;
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
    response.end('Thank you. You can close this window.');
    waiting.answer(parameters);
  }
}
