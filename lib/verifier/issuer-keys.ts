import { createLocalJWKSet, errors } from 'jose';
import { type TrustedAuthorizationServer } from '../discovery/authorization-server.js';
import { fetchJson, untilAborted } from '../discovery/fetch-json.js';
import { RefreshedValue } from '../discovery/refreshed-value.js';
import { DiscoveryError } from '../errors/discovery.error.js';
import { MAX_JWKS_BYTES } from '../mcp-auth.constants.js';
import { usableKeys } from './usable-keys.js';

/** What key loading needs from outside, and who wants to know what it finds. @internal */
export interface IssuerKeysContext {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Told about members of a key set that cannot be used. */
  readonly onSkipped: (count: number) => void;
  /** Told of every key set loaded, but the first. */
  readonly onRenewed: () => void;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** A key set, and where it came from: the metadata may name another address later. */
interface KeySource {
  readonly url: string | undefined;
  readonly keys: RefreshedValue<KeySet>;
}

/**
 * The keys of one authorization server, chosen by a token's header.
 *
 * A token with an unknown key id has the keys fetched anew, at most once per cooldown whatever comes in. Keys that
 * cannot be fetched anew serve until they are too old; without any, asking is paused after each failure.
 *
 * @internal
 */
export class IssuerKeys {
  private readonly fixed: KeySet | undefined;
  private source: KeySource | undefined;
  private hasLoaded = false;

  constructor(
    private readonly server: TrustedAuthorizationServer,
    private readonly context: IssuerKeysContext,
  ) {
    const { jwks } = server.options;
    if (typeof jwks === 'object') this.fixed = this.toKeySet(jwks, 'the option "jwks"');
  }

  /**
   * The key for a token, or jose's error when the header does not single one out.
   *
   * @throws {@link DiscoveryError} when the keys cannot be had
   */
  async keyFor(...jws: Parameters<KeySet>): ReturnType<KeySet> {
    if (this.fixed) return this.fixed(...jws);
    const { keys } = await this.currentSource();
    const known = await keys.get();
    try {
      return await known(...jws);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.isCoolingDown(keys)) throw error;
    }
    return (await keys.refresh())(...jws);
  }

  private isCoolingDown(keys: RefreshedValue<KeySet>): boolean {
    return (keys.state().ageSeconds ?? Infinity) < this.server.options.remoteJwkSet.cooldownSeconds;
  }

  private async currentSource(): Promise<KeySource> {
    const { jwks } = this.server.options;
    const url = jwks === undefined ? (await this.server.metadata()).jwks_uri : undefined;
    if (this.source?.url !== url || !this.source) this.source = { url, keys: this.keysAt(url) };
    return this.source;
  }

  private keysAt(url: string | undefined): RefreshedValue<KeySet> {
    const { cacheMaxAgeSeconds, staleMaxAgeSeconds } = this.server.options.remoteJwkSet;
    return new RefreshedValue(() => this.load(url), {
      freshSeconds: cacheMaxAgeSeconds,
      staleSeconds: Math.max(staleMaxAgeSeconds, cacheMaxAgeSeconds),
      now: this.context.now,
      onLoaded: () => {
        if (this.hasLoaded) this.context.onRenewed();
        this.hasLoaded = true;
      },
    });
  }

  private async load(url: string | undefined): Promise<KeySet> {
    const { remoteJwkSet, jwks } = this.server.options;
    const { timeoutMs, headers } = remoteJwkSet;
    if (url !== undefined) {
      const limits = { fetch: this.context.fetch, timeoutMs, maxBytes: MAX_JWKS_BYTES, headers };
      return this.toKeySet(await fetchJson(url, limits), url);
    }
    const give = jwks as () => unknown;
    return this.toKeySet(await callWithin(timeoutMs, give), 'the function "jwks"');
  }

  private toKeySet(document: unknown, source: string): KeySet {
    const members = (document as { keys?: unknown } | null)?.keys;
    if (!Array.isArray(members)) throw new DiscoveryError('metadata_invalid', source, 'is not a JWK Set');
    const { jwks, skipped } = usableKeys(members);
    if (skipped > 0) this.context.onSkipped(skipped);
    return createLocalJWKSet(jwks);
  }
}

async function callWithin<T>(timeoutMs: number, give: () => T | Promise<T>): Promise<T> {
  try {
    return await untilAborted(AbortSignal.timeout(timeoutMs), give());
  } catch (error) {
    throw new DiscoveryError('unreachable', undefined, 'the function "jwks" threw', { cause: error });
  }
}
