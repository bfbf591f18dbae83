import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { randomUUID } from 'node:crypto';
import type { LoginOptions } from '../arguments.js';

/** Has the person answer at an authorization URL. Resolves with the parameters that came back. @internal */
export type Browse = (url: URL, state: string) => Promise<URLSearchParams>;

/** What the official client keeps between its requests. Here it is kept in memory, until the command ends. @internal */
export class LoginProvider implements OAuthClientProvider {
  readonly clientMetadata: OAuthClientMetadata;
  readonly clientMetadataUrl?: string;

  private client: StoredOAuthClientInformation | undefined;
  private stored: StoredOAuthTokens | undefined;
  private verifier = '';
  private expectedState = '';
  private discovered: OAuthDiscoveryState | undefined;
  private answer: URLSearchParams | undefined;

  /** @param issuer - the authorization server that knows the client ID */
  constructor(
    readonly redirectUrl: string,
    private readonly browse: Browse,
    { clientId, clientMetadataUrl }: Pick<LoginOptions, 'clientId' | 'clientMetadataUrl'>,
    issuer: string | undefined,
  ) {
    if (clientId !== undefined)
      this.client = { client_id: clientId, ...(issuer !== undefined && { issuer }) };
    if (clientMetadataUrl !== undefined) this.clientMetadataUrl = clientMetadataUrl;
    this.clientMetadata = {
      client_name: 'nestjs-mcp-auth doctor',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  /** Texts that must not be printed. */
  readonly secrets = (): readonly string[] => {
    const { access_token: access, refresh_token: refresh } = this.stored ?? {};
    return [access, refresh, this.verifier].filter((each) => each !== undefined && each !== '') as string[];
  };

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
    this.answer = await this.browse(url, this.expectedState);
  }

  /** Returns what came back by the browser, once, for `finishAuth`. */
  takeAnswer(): URLSearchParams {
    const answer = this.answer ?? new URLSearchParams();
    this.answer = undefined;
    return answer;
  }
}
