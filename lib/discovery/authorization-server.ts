import { AuthorizationServerUnavailableError } from '../errors/refusal.errors.js';
import { type AuthorizationServerMetadata } from '../options/mcp-auth-options.interface.js';
import { type ResolvedAuthorizationServerOptions } from '../options/resolved-options.interface.js';
import { RefreshedValue, type RefreshPolicy, type RefreshState } from './refreshed-value.js';

/** An authorization server that a resource trusts. @publicApi */
export interface TrustedAuthorizationServer {
  /** To the letter as tokens have it. */
  readonly issuer: string;
  readonly options: ResolvedAuthorizationServerOptions;
  /**
   * What the server says of itself, at most as old as the options allow.
   *
   * @throws {@link AuthorizationServerUnavailableError} when it cannot be had
   */
  metadata(): Promise<AuthorizationServerMetadata>;
}

/** Metadata that cannot be fetched anew serves this long. */
const STALE_SECONDS = 86_400;

/**
 * One authorization server over the life of the application: its metadata is loaded when it is first needed,
 * renewed when it grows old, and kept while the server is down or wrong.
 *
 * @internal
 */
export class AuthorizationServer implements TrustedAuthorizationServer {
  private readonly document: RefreshedValue<AuthorizationServerMetadata>;
  private known: string | undefined;

  /**
   * @param options - how it is configured
   * @param load - gets its metadata, checked
   * @param policy - how long that is good; metadata given by hand is good for ever
   */
  constructor(
    readonly options: ResolvedAuthorizationServerOptions,
    private readonly load: () => Promise<AuthorizationServerMetadata>,
    policy: Omit<RefreshPolicy, 'staleSeconds'>,
  ) {
    const isFixed = options.metadata !== undefined;
    this.document = new RefreshedValue(() => this.loadAs(), {
      ...policy,
      freshSeconds: isFixed ? Infinity : policy.freshSeconds,
      staleSeconds: isFixed ? Infinity : Math.max(STALE_SECONDS, policy.freshSeconds),
    });
  }

  /** The issuer: as configured, or as the first document named it. Empty until one of both is known. */
  get issuer(): string {
    return this.options.issuer ?? this.known ?? '';
  }

  /** Loads the metadata now, for the bootstrap; fails with what kept it from being had. */
  async resolve(): Promise<AuthorizationServerMetadata> {
    return this.document.refresh();
  }

  async metadata(): Promise<AuthorizationServerMetadata> {
    try {
      return await this.document.get();
    } catch (cause) {
      throw new AuthorizationServerUnavailableError(this.issuer, 'metadata', { cause });
    }
  }

  state(): RefreshState {
    return this.document.state();
  }

  private async loadAs(): Promise<AuthorizationServerMetadata> {
    const metadata = await this.load();
    this.known ??= metadata.issuer;
    return metadata;
  }
}
