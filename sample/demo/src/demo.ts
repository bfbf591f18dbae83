import {
  auth,
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type CallToolResult,
} from '@modelcontextprotocol/client';
import { DemoProvider } from './demo-provider.js';
import { Person } from './person.js';
import type { Step } from './step.js';
import type { Trace } from './trace.js';

/** Where the servers are. */
export interface DemoServers {
  /** The notes server's URL: the protected resource. */
  readonly resource: string;
  readonly issuer: string;
  /** Another resource of the same authorization server, whose tokens must not open the first. */
  readonly otherResource: string;
}

/** Says what must hold, and whether it does. */
export type Check = (claim: string, holds: boolean) => void;

/** Drives the official MCP client through everything that a protected server asks of it. */
export class Demo {
  private readonly provider: DemoProvider;
  private readonly metadataUrl: string;

  constructor(
    private readonly servers: DemoServers,
    private readonly trace: Trace,
    private readonly check: Check,
    private readonly title: (text: string) => void,
  ) {
    this.provider = new DemoProvider(new Person({ username: 'demo', password: 'demo' }, trace.fetch));
    const { origin, pathname } = new URL(servers.resource);
    this.metadataUrl = `${origin}/.well-known/oauth-protected-resource${pathname}`;
  }

  async run(): Promise<void> {
    this.title('A client without a token is rejected, discovers, registers, logs in');
    const client = await this.connect();
    this.checkDiscovery();
    this.title('It calls a tool');
    this.checkText(await this.call(client, 'list_notes'), 'no notes');
    this.title('A tool that needs another scope: rejected, stepped up, called again');
    this.checkText(await this.call(client, 'add_note', { text: 'Buy milk' }), '1 notes');
    this.checkStepUp();
    this.title('It refreshes its token');
    await this.refresh();
    this.checkText(await this.call(client, 'whoami'), 'demo with notes:read notes:write');
    await client.close();
    this.title('A token for another resource is rejected');
    await this.presentForeignToken();
  }

  /** Connects as a client does: the first request is rejected, the person logs in, the second one works. */
  private async connect(): Promise<Client> {
    const attempt = async (): Promise<Client> => {
      const client = new Client({ name: 'demo', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(this.transport());
      return client;
    };
    return this.afterLogin(attempt);
  }

  private call(client: Client, name: string, args: Record<string, unknown> = {}): Promise<CallToolResult> {
    return this.afterLogin(() => client.callTool({ name, arguments: args }));
  }

  /** Does something that may need the person: the client says so by UnauthorizedError, once the person has answered. */
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
    const { resource } = this.servers;
    return new StreamableHTTPClientTransport(new URL(resource), {
      authProvider: this.provider,
      fetch: this.trace.fetch,
    });
  }

  private checkDiscovery(): void {
    const { steps } = this.trace;
    const [first] = steps;
    this.check(
      'the first answer is 401, without error, with scope and resource_metadata',
      isChallenge(first, 401, `Bearer scope="notes:read", resource_metadata="${this.metadataUrl}"`),
    );
    this.check(
      'the client fetched the RFC 9728 document',
      steps.some(({ url, status }) => url.href === this.metadataUrl && status === 200),
    );
    this.check('the client registered itself', this.trace.last('POST', '/reg')?.status === 201);
    const request = steps.find(({ url }) => url.searchParams.has('code_challenge'))?.url.searchParams;
    this.check(
      'the authorization request has PKCE S256 and names the resource',
      request?.get('code_challenge_method') === 'S256' && request.get('resource') === this.servers.resource,
    );
    const token = new URLSearchParams(this.trace.last('POST', '/token')?.body);
    this.check('the token request names the resource', token.get('resource') === this.servers.resource);
  }

  private checkStepUp(): void {
    const rejection = this.trace.steps.find(({ status }) => status === 403);
    const challenge = `Bearer error="insufficient_scope", scope="notes:write", resource_metadata="${this.metadataUrl}", error_description="The access token does not grant what this operation needs"`;
    this.check(
      'the rejection is 403 insufficient_scope with scope="notes:write"',
      isChallenge(rejection, 403, challenge),
    );
    this.check(
      'the new token has the old scope and the new one',
      this.provider.tokens()?.scope === 'notes:read notes:write',
    );
  }

  private async refresh(): Promise<void> {
    const before = this.provider.tokens();
    const result = await auth(this.provider, { serverUrl: this.servers.resource, fetchFn: this.trace.fetch });
    const after = this.provider.tokens();
    this.check(
      'the refresh gave another access token',
      result === 'AUTHORIZED' && after?.access_token !== before?.access_token,
    );
    this.check('the refresh token was rotated', after?.refresh_token !== before?.refresh_token);
  }

  /** Gets a good token of the same server for another resource, and sends it here. */
  private async presentForeignToken(): Promise<void> {
    const foreign = new DemoProvider(new Person({ username: 'demo', password: 'demo' }, this.trace.fetch));
    const other = Object.assign(foreign, {
      validateResourceURL: () => Promise.resolve(new URL(this.servers.otherResource)),
    });
    const options = { serverUrl: this.servers.resource, fetchFn: this.trace.fetch, scope: 'notes:read' };
    await auth(other, options);
    const answer = foreign.takeAnswer();
    await auth(other, {
      ...options,
      authorizationCode: answer.get('code') ?? '',
      iss: answer.get('iss') ?? '',
    });
    await this.trace.fetch(this.servers.resource, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${foreign.tokens()?.access_token ?? ''}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_notes' } }),
    });
    const challenge = `Bearer error="invalid_token", scope="notes:read", resource_metadata="${this.metadataUrl}", error_description="The access token is invalid or expired"`;
    this.check('the answer is 401 invalid_token', isChallenge(this.trace.steps.at(-1), 401, challenge));
  }

  private checkText({ content }: CallToolResult, expected: string): void {
    const text = content.map((part) => (part.type === 'text' ? part.text : part.type)).join();
    this.check(`the tool answered "${text}"`, text === expected);
  }
}

function isChallenge(step: Step | undefined, status: number, challenge: string): boolean {
  return step?.status === status && step.challenge === challenge;
}
