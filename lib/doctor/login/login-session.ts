import type { LoginProvider } from './login-provider.js';
import type { OfficialClient } from './official-client.js';
import type { Json } from '../context.js';
import { VERSION } from '../links.js';

/** The official client, connected to the server. It signs in and steps up as the server asks. @internal */
export class LoginSession {
  /** How often the person has answered. */
  signIns = 0;

  private readonly client: InstanceType<OfficialClient['Client']>;

  constructor(
    private readonly official: OfficialClient,
    private readonly endpoint: URL,
    private readonly provider: LoginProvider,
    private readonly fetchFn: typeof fetch,
  ) {
    const identity = { name: 'nestjs-mcp-auth-doctor', version: VERSION };
    this.client = new official.Client(identity, { versionNegotiation: { mode: 'auto' } });
  }

  /** The scopes of the token, as the authorization server says. */
  get grantedScopes(): string | undefined {
    return this.provider.tokens()?.scope;
  }

  connect(): Promise<void> {
    return this.afterSignIn(() => this.client.connect(this.transport()));
  }

  async listTools(): Promise<Json> {
    return { ...(await this.afterSignIn(() => this.client.listTools())) };
  }

  /** Returns the text of the answer. */
  async callTool(name: string, args: Readonly<Record<string, unknown>>): Promise<string> {
    const { content } = await this.afterSignIn(() => this.client.callTool({ name, arguments: { ...args } }));
    return content.map((part) => (part.type === 'text' ? part.text : part.type)).join(' ');
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /** On a 401 or 403 the client sends the person to the authorization server and throws. The call is repeated afterwards. */
  private async afterSignIn<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof this.official.UnauthorizedError)) throw error;
      this.signIns += 1;
      await this.transport().finishAuth(this.provider.takeAnswer());
      return action();
    }
  }

  private transport() {
    const options = { authProvider: this.provider, fetch: this.fetchFn };
    return new this.official.StreamableHTTPClientTransport(this.endpoint, options);
  }
}
