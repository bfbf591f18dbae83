import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { randomUUID } from 'node:crypto';

/** Has the person answer at an authorization URL; resolves with the parameters that came back to the redirect URL. */
export type Browse = (url: URL) => Promise<URLSearchParams>;

/** What the official client keeps between its requests, here in memory. A real client keeps tokens where only it can read. */
export class ClientProvider implements OAuthClientProvider {
  readonly clientMetadata: OAuthClientMetadata;

  private client: StoredOAuthClientInformation | undefined;
  private stored: StoredOAuthTokens | undefined;
  private verifier = '';
  private expectedState = '';
  private discovered: OAuthDiscoveryState | undefined;
  private answer: URLSearchParams | undefined;

  constructor(
    clientName: string,
    readonly redirectUrl: string,
    private readonly browse: Browse,
  ) {
    this.clientMetadata = {
      client_name: clientName,
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

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
    this.answer = await this.browse(url);
  }

  /** What the authorization server sent back by the browser, once; for `finishAuth`. */
  takeAnswer(): URLSearchParams {
    const answer = this.answer ?? new URLSearchParams();
    this.answer = undefined;
    if (answer.get('state') !== this.expectedState) throw new Error('the state came back changed');
    return answer;
  }
}
