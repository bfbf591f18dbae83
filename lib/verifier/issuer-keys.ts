import { type CompactVerifyGetKey, type CryptoKey, errors } from 'jose';
import { AuthorizationServer, type WatchedKeys } from '../discovery/authorization-server.js';
import { type Retried } from '../discovery/background-retry.js';
import { fetchJson, untilAborted } from '../discovery/fetch-json.js';
import { RefreshedValue, type RefreshState } from '../discovery/refreshed-value.js';
import { DiscoveryError } from '../errors/discovery.error.js';
import { MAX_JWKS_BYTES } from '../mcp-auth.constants.js';
import { type AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import { type TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { KeySet } from './key-set.js';
import { usableKeys } from './usable-keys.js';

/** What key loading needs from outside, and who wants to know what it finds. @internal */
export interface IssuerKeysContext {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Ends a fetch that is under way. */
  readonly signal?: AbortSignal;
  /** Told about members of a key set that cannot be used. */
  readonly onSkipped: (count: number) => void;
  /** Told of every key set loaded, but the first. */
  readonly onRenewed: () => void;
  /** Told of every failure to load a key set. */
  readonly onFailed?: (error: unknown) => void;
  /** Told each time that keys past their age serve because they cannot be renewed. */
  readonly onStale?: (ageSeconds: number) => void;
}

/** A key set, and where it came from: the metadata may name another address later. */
interface KeySource {
  readonly url: string | undefined;
  readonly keys: RefreshedValue<KeySet>;
}

/**
 * The keys of one authorization server, chosen by a token's header.
 *
 * Keys past their age are fetched anew before they are used, so a key that the server has taken back is refused from
 * then on; where they cannot be fetched, they serve until they are too old. That holds too when the metadata names a
 * new address: until it answers, the keys of the old one serve as long as they may.
 *
 * A token with an unknown key id has the keys fetched anew, at most once per cooldown whatever comes in: within the
 * cooldown after a fetch it is a bad token. Where the fetch fails it cannot be told whether the key exists, so it is an
 * outage. After a failure asking is paused; tokens with known keys need none of it.
 *
 * So does a signature that fails under a known key id, under the same cooldown: the server may have a new key under it.
 * Where that fetch fails it stays a bad signature: a key is known that did not make it, and anybody can send such a token.
 *
 * @internal
 */
export class IssuerKeys implements Retried, WatchedKeys {
  private readonly fixed: KeySet | undefined;
  private source: KeySource | undefined;
  /** Where the keys were before, as long as the new address has not answered. */
  private previous: KeySource | undefined;
  /** How many key sets were loaded. */
  private loads = 0;

  constructor(
    private readonly server: TrustedAuthorizationServer,
    private readonly context: IssuerKeysContext,
  ) {
    const { jwks } = server.options;
    if (typeof jwks === 'object') this.fixed = this.toKeySet(jwks, 'the option "jwks"');
  }

  /**
   * The key for a token where it is at hand and nothing has to be renewed, at once; undefined where {@link keyFor} has
   * to find it.
   *
   * @param header - the token's header, not checked
   */
  atHand(header: Readonly<Record<string, unknown>>): CryptoKey | undefined {
    return (this.fixed ?? this.freshKeys())?.atHand(header);
  }

  /**
   * The key for a token, or jose's error when the header does not single one out.
   *
   * @throws {@link DiscoveryError} when the keys cannot be had
   */
  async keyFor(...jws: Parameters<CompactVerifyGetKey>): Promise<CryptoKey> {
    if (this.fixed) return this.fixed.keyFor(...jws);
    const { keys } = await this.currentSource();
    const known = await this.known(keys);
    try {
      return await known.keyFor(...jws);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.isCoolingDown(keys)) throw error;
    }
    return (await keys.refresh()).keyFor(...jws);
  }

  /**
   * Verifies a signature; where it fails, once more with keys that are newer, if there are any or the server has them.
   *
   * @param verify - verifies with the keys at the time of its call
   * @throws what it throws
   */
  async verifying<T>(verify: () => Promise<T>): Promise<T> {
    const { loads } = this;
    try {
      return await verify();
    } catch (error) {
      const isForged = error instanceof errors.JWSSignatureVerificationFailed;
      if (!isForged || !(await this.haveChangedSince(loads))) throw error;
    }
    return verify();
  }

  /** Whether there are other keys than those of an earlier load; has them fetched, but not within the cooldown. */
  private async haveChangedSince(loads: number): Promise<boolean> {
    if (this.fixed) return false;
    try {
      const { keys } = await this.currentSource();
      // Another token may have had them fetched while this one was verified.
      if (this.loads === loads && !this.isCoolingDown(keys)) await keys.refresh();
    } catch {
      // Told where it failed. The signature is bad by all that is known.
    }
    return this.loads !== loads;
  }

  /** What is known of the keys; undefined until they are needed, and for keys that are configured. */
  state(): RefreshState | undefined {
    const state = this.source?.keys.state();
    if (!state || state.isUsable) return state;
    return { ...state, isUsable: this.previous?.keys.peek() !== undefined };
  }

  retryInSeconds(): number | undefined {
    return this.source?.keys.retryInSeconds();
  }

  /** Fetches the keys now, but not in the pause after a failure. */
  async refresh(): Promise<void> {
    const { keys } = await this.currentSource();
    await keys.refresh();
  }

  async look(): Promise<void> {
    if (this.fixed) return;
    // Without metadata nobody knows where the keys are, which its own state tells.
    const source = await this.currentSource().catch(() => undefined);
    await source?.keys.look();
  }

  /** The keys, where neither they nor the metadata that names them have to be renewed. */
  private freshKeys(): KeySet | undefined {
    const { source, server } = this;
    if (!source) return undefined;
    const url = server.options.jwks === undefined ? freshMetadata(server)?.jwks_uri : undefined;
    return source.url === url ? source.keys.fresh() : undefined;
  }

  private async known(keys: RefreshedValue<KeySet>): Promise<KeySet> {
    try {
      return await keys.get();
    } catch (error) {
      const old = this.previous?.keys.peek();
      if (!old) throw error;
      return old;
    }
  }

  private isCoolingDown(keys: RefreshedValue<KeySet>): boolean {
    return (keys.state().ageSeconds ?? Infinity) < this.server.options.remoteJwkSet.cooldownSeconds;
  }

  private async currentSource(): Promise<KeySource> {
    const { jwks } = this.server.options;
    const url = jwks === undefined ? (await this.server.metadata()).jwks_uri : undefined;
    if (this.source?.url === url && this.source) return this.source;
    // Kept only if it has keys: an address that never answered must not push out one that did.
    if (this.source?.keys.peek()) this.previous = this.source;
    this.source = { url, keys: this.keysAt(url) };
    return this.source;
  }

  private keysAt(url: string | undefined): RefreshedValue<KeySet> {
    const { cacheMaxAgeSeconds, staleMaxAgeSeconds } = this.server.options.remoteJwkSet;
    const keys = new RefreshedValue(() => this.load(url), {
      freshSeconds: cacheMaxAgeSeconds,
      staleSeconds: Math.max(staleMaxAgeSeconds, cacheMaxAgeSeconds),
      now: this.context.now,
      onLoaded: () => {
        if (this.source?.keys === keys) this.previous = undefined;
        this.loads += 1;
        if (this.loads > 1) this.context.onRenewed();
      },
      onFailed: (error) => this.context.onFailed?.(error),
      onStale: (ageSeconds) => this.context.onStale?.(ageSeconds),
    });
    return keys;
  }

  private async load(url: string | undefined): Promise<KeySet> {
    const { remoteJwkSet, jwks } = this.server.options;
    const { timeoutMs, headers } = remoteJwkSet;
    if (url !== undefined) {
      const { fetch, signal } = this.context;
      const limits = { fetch, timeoutMs, maxBytes: MAX_JWKS_BYTES, headers, ...(signal && { signal }) };
      return this.toKeySet(await fetchJson(url, limits), url);
    }
    if (typeof jwks === 'function') {
      return this.toKeySet(await callWithin(timeoutMs, jwks), 'the function "jwks"');
    }
    throw new DiscoveryError('metadata_invalid', undefined, 'the metadata has no "jwks_uri"');
  }

  private toKeySet(document: unknown, source: string): KeySet {
    const members = (document as { keys?: unknown } | null)?.keys;
    if (!Array.isArray(members)) throw new DiscoveryError('metadata_invalid', source, 'is not a JWK Set');
    const { jwks, skipped } = usableKeys(members);
    if (skipped > 0) this.context.onSkipped(skipped);
    return new KeySet(jwks);
  }
}

function freshMetadata(server: TrustedAuthorizationServer): AuthorizationServerMetadata | undefined {
  return server instanceof AuthorizationServer ? server.fresh() : undefined;
}

async function callWithin<T>(timeoutMs: number, give: () => T | Promise<T>): Promise<T> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await untilAborted(limit, give());
  } catch (error) {
    if (limit.aborted) {
      const detail = 'the function "jwks" did not end in time';
      throw new DiscoveryError('timeout', undefined, detail, { cause: error });
    }
    throw new DiscoveryError('unreachable', undefined, 'the function "jwks" threw', { cause: error });
  }
}
