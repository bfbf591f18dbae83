import { BootstrapDiscoveryError, DiscoveryError } from '../errors/discovery.error.js';
import { AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import { traced, TRACES } from '../events/traces.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import type {
  ResolvedAuthorizationServerOptions,
  TrustedAuthorizationServer,
} from '../options/trusted-authorization-server.interface.js';
import type { Retried } from './background-retry.js';
import { RefreshedValue, type RefreshPolicy, type RefreshState } from './refreshed-value.js';

/** How much longer stale metadata is used if it cannot be fetched again. */
const STALE_SECONDS = 86_400;

/** Metadata is renewed in the background in this last part of its fresh time, so that no request waits for it. */
const RENEWED_AHEAD = 0.1;

/**
 * One authorization server over the life of the application.
 *
 * Its metadata is loaded when first needed, renewed when it is old, and kept while the server is down or wrong.
 *
 * @internal
 */
export class AuthorizationServer implements TrustedAuthorizationServer, Retried {
  private readonly document: RefreshedValue<AuthorizationServerMetadata>;
  private known: string | undefined;

  /**
   * @param options - its configuration
   * @param load - loads and validates its metadata
   * @param policy - how long metadata is valid; configured metadata is valid for ever
   * @param isDynamic - whether it became known at run time: then failed loads are not retried in the background
   */
  constructor(
    readonly options: ResolvedAuthorizationServerOptions,
    private readonly load: () => Promise<AuthorizationServerMetadata>,
    policy: Omit<RefreshPolicy, 'staleSeconds' | 'aheadSeconds'>,
    readonly isDynamic = false,
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
   * The issuer: as configured, or as named by the first document.
   *
   * @throws if neither is known. The bootstrap fails with such a server, so no request sees this.
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

  /** Loads the metadata now, except in the pause after a failure. Fails with the reason if it cannot be loaded. */
  async refresh(): Promise<AuthorizationServerMetadata> {
    return this.document.refresh();
  }

  retryInSeconds(): number | undefined {
    return this.document.retryInSeconds();
  }

  /** Fetches the metadata now, unless it is configured. Never fails: {@link state} has the result. */
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

  /** Returns the metadata if it is fresh and need not be renewed. Fetches nothing. */
  fresh(): AuthorizationServerMetadata | undefined {
    return this.document.fresh();
  }

  /** Returns the metadata in use at the moment, if any. Fetches nothing. */
  peek(): AuthorizationServerMetadata | undefined {
    return this.document.peek();
  }

  state(): RefreshState {
    return this.document.state();
  }

  private async loadAs(): Promise<AuthorizationServerMetadata> {
    const metadata = await this.traced();
    this.known ??= metadata.issuer;
    this.assertSameIssuer(metadata.issuer);
    return metadata;
  }

  private traced(): Promise<AuthorizationServerMetadata> {
    const isFetched = this.options.metadata === undefined;
    if (!isFetched || !TRACES.metadata.hasSubscribers) return this.load();
    return traced(TRACES.metadata, { issuer: this.options.issuer ?? this.known }, () => this.load());
  }

  /** Rejects a document with another issuer than that of the configuration or the first document. */
  private assertSameIssuer(issuer: string): void {
    if (issuer === this.issuer) return;
    const detail = `names the issuer "${issuer}", and named "${this.issuer}" before`;
    const error = new DiscoveryError('issuer_mismatch', this.options.metadataUrl, detail);
    throw new BootstrapDiscoveryError([{ server: this.issuer, attempts: [error] }]);
  }
}
