import {
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { randomUUID } from 'node:crypto';
import { type Person } from './person.js';

/** Where the browser would come back to; nothing listens there, the person hands the URL over. */
const REDIRECT_URI = 'http://127.0.0.1:9/callback';

/** The memory of an MCP client, for the official client's OAuth. In place of a browser a {@link Person} logs in. */
export class DemoProvider implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT_URI;

  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'nestjs-mcp-auth demo',
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };

  private client: StoredOAuthClientInformation | undefined;
  private stored: StoredOAuthTokens | undefined;
  private verifier = '';
  private expectedState = '';
  private discovered: OAuthDiscoveryState | undefined;
  private answer: URL | undefined;

  constructor(private readonly person: Person) {}

  state(): string {
    this.expectedState = randomUUID();
    return this.expectedState;
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.client;
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.client = client;
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.stored;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.stored = tokens;
  }

  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }

  codeVerifier(): string {
    return this.verifier;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovered;
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.discovered = state;
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    this.answer = await this.person.authorize(url);
  }

  /** What the authorization server sent back by the browser, once; for `finishAuth`. */
  takeAnswer(): URLSearchParams {
    const { searchParams } = this.answer ?? new URL(REDIRECT_URI);
    this.answer = undefined;
    if (searchParams.get('state') !== this.expectedState) throw new Error('the state came back changed');
    return searchParams;
  }
}
