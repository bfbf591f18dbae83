import { BootstrapDiscoveryError, DiscoveryError } from '../errors/discovery.error.js';
import { AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import type {
  ResolvedAuthorizationServerOptions,
  TrustedAuthorizationServer,
} from '../options/trusted-authorization-server.interface.js';
import type { Retried } from './background-retry.js';
import { RefreshedValue, type RefreshPolicy, type RefreshState } from './refreshed-value.js';

/** Metadata that cannot be fetched anew serves this much longer. */
const STALE_SECONDS = 86_400;

/** In this last part of its time metadata is renewed behind the scenes, so that no request waits for it. */
const RENEWED_AHEAD = 0.1;

/**
 * One authorization server over the life of the application: its metadata is loaded when it is first needed,
 * renewed when it grows old, and kept while the server is down or wrong.
 *
 * @internal
 */
export class AuthorizationServer implements TrustedAuthorizationServer, Retried {
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
    policy: Omit<RefreshPolicy, 'staleSeconds' | 'aheadSeconds'>,
  ) {
    const isFixed = options.metadata !== undefined;
    this.document = new RefreshedValue(() => this.loadAs(), {
      ...policy,
      freshSeconds: isFixed ? Infinity : policy.freshSeconds,
      staleSeconds: isFixed ? Infinity : policy.freshSeconds + STALE_SECONDS,
      aheadSeconds: isFixed ? 0 : policy.freshSeconds * RENEWED_AHEAD,
    });
  }

  /**
   * The issuer: as configured, or as the first document named it.
   *
   * @throws when neither is known. The bootstrap does not end well with such a server, so no request meets one.
   */
  get issuer(): string {
    const issuer = this.options.issuer ?? this.known;
    if (issuer === undefined) throw new Error('An authorization server has no issuer before it is resolved');
    return issuer;
  }

  /** Whether the issuer is known already. */
  get isNamed(): boolean {
    return (this.options.issuer ?? this.known) !== undefined;
  }

  /** Loads the metadata now, but not in the pause after a failure; fails with what kept it from being had. */
  async refresh(): Promise<AuthorizationServerMetadata> {
    return this.document.refresh();
  }

  retryInSeconds(): number | undefined {
    return this.document.retryInSeconds();
  }

  /** Fetches the metadata now, unless it was given by hand. Never fails: {@link state} says what came of it. */
  async look(): Promise<void> {
    if (this.options.metadata === undefined) await this.document.look();
  }

  async metadata(): Promise<AuthorizationServerMetadata> {
    try {
      return await this.document.get();
    } catch (cause) {
      if (!(cause instanceof BootstrapDiscoveryError)) throw cause;
      throw new AuthorizationServerUnavailableError(this.issuer, 'metadata', { cause });
    }
  }

  /** The metadata, where it serves as it is and nothing has to be renewed. Asks nobody. */
  fresh(): AuthorizationServerMetadata | undefined {
    return this.document.fresh();
  }

  /** The metadata that serves at the moment, if any. Asks nobody. */
  peek(): AuthorizationServerMetadata | undefined {
    return this.document.peek();
  }

  state(): RefreshState {
    return this.document.state();
  }

  private async loadAs(): Promise<AuthorizationServerMetadata> {
    const metadata = await this.load();
    this.known ??= metadata.issuer;
    this.assertSameIssuer(metadata.issuer);
    return metadata;
  }

  /** Where the document itself said who the server is, a later document must not say otherwise. */
  private assertSameIssuer(issuer: string): void {
    if (issuer === this.issuer) return;
    const detail = `names the issuer "${issuer}", and named "${this.issuer}" before`;
    const error = new DiscoveryError('issuer_mismatch', this.options.metadataUrl, detail);
    throw new BootstrapDiscoveryError([{ server: this.issuer, attempts: [error] }]);
  }
}
