import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An HTTP server on 127.0.0.1 that can stop and listen again at the same port.
 *
 * @internal
 */
export class LoopbackListener {
  /** Keeps idle connections: a test that blocks its process for seconds would else find them closed with its next request. */
  private readonly server: Server = createServer({ keepAliveTimeout: 60_000 });
  private port = 0;

  /** Listens at a free port. Later calls listen at the same port. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.port, '127.0.0.1', () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    this.port = (this.server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  onRequest(listener: RequestListener): void {
    this.server.on('request', listener);
  }

  /** Ends every connection, idle or in use. Does nothing if the server does not listen. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => {
        resolve();
      });
      this.server.closeAllConnections();
    });
  }
}
