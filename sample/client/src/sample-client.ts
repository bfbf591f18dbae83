import { auth, Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import type { ClientProvider } from './client-provider.js';

/** The official client, connected to a protected MCP server: it logs in, steps up and refreshes as it is asked to. */
export class SampleClient {
  private readonly client = new Client(
    { name: 'sample-client', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );

  /**
   * @param endpoint - the MCP server's URL, and all that a client is told
   * @param fetchFn - does the requests; a caller that wants to see them gives its own
   */
  constructor(
    private readonly endpoint: URL,
    private readonly provider: ClientProvider,
    private readonly fetchFn: typeof fetch = fetch,
  ) {}

  connect(): Promise<void> {
    return this.afterLogin(() => this.client.connect(this.transport()));
  }

  /** @returns the text of the tool's answer */
  async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const { content } = await this.afterLogin(() => this.client.callTool({ name, arguments: args }));
    return content.map((part) => (part.type === 'text' ? part.text : part.type)).join();
  }

  /** Takes a new token before the old one expires. A 401 for an expired one makes the client do so by itself. */
  async refresh(): Promise<void> {
    const result = await auth(this.provider, { serverUrl: this.endpoint, fetchFn: this.fetchFn });
    if (result !== 'AUTHORIZED') throw new Error('the refresh token is no longer good');
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /**
   * The one thing that the official client leaves to its user: on a 401 or 403 it sends the person to the authorization
   * server and throws; once the person has answered, the answer is handed over and the call repeated.
   */
  private async afterLogin<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await this.transport().finishAuth(this.provider.takeAnswer());
      return action();
    }
  }

  private transport(): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(this.endpoint, {
      authProvider: this.provider,
      fetch: this.fetchFn,
    });
  }
}
