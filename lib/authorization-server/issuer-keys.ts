import { type CompactVerifyGetKey, type CryptoKey, errors } from 'jose';
import { DiscoveryError } from '../errors/discovery.error.js';
import { traced, TRACES } from '../events/traces.js';
import { MAX_JWKS_BYTES } from '../mcp-auth.constants.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import { untilAborted } from '../platform/deadline.js';
import { withAnyKey } from './any-key.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { AuthorizationServer } from './authorization-server.js';
import type { Retried } from './background-retry.js';
import { fetchJson } from './fetch-json.js';
import { FetchNeeded } from './fetch-needed.js';
import { KeySet, usableKeys } from './key-set.js';
import { RefreshedValue, type RefreshPolicy, type RefreshState } from './refreshed-value.js';

/** Dependencies and callbacks of key loading. @internal */
export interface IssuerKeysContext extends Pick<RefreshPolicy, 'now' | 'onFailed' | 'onStale'> {
  readonly fetch: typeof fetch;
  /** Ends a pending fetch. */
  readonly signal?: AbortSignal;
  /** Called with the number of members of a key set that cannot be used. */
  readonly onSkipped: (count: number) => void;
  /** Called for every key set loaded, except the first. */
  readonly onRenewed: () => void;
}

/** Returns the key for a token to jose. */
type GetKey = CompactVerifyGetKey<CryptoKey>;

/** A key set and its address: the metadata may name another address later. */
interface KeySource {
  readonly url: string | undefined;
  readonly keys: RefreshedValue<KeySet>;
}

/**
 * The keys of one authorization server, chosen by a token's header.
 *
 * Keys past their maximum age are fetched again before use, so a key that the server has withdrawn is rejected from then
 * on. If they cannot be fetched, the cached keys are used until they are too old. The same holds if the metadata names a
 * new address: until it answers, the keys of the old address are used while they are valid.
 *
 * A token with an unknown key id causes a fetch of the keys, at most once per cooldown. Within the cooldown after a fetch,
 * the token is rejected. If the fetch fails, the key may exist, so the failure is an outage. After a failure there is a
 * pause without fetches. Tokens with known keys need no fetch.
 *
 * A failed signature under a known key id causes a fetch too, with the same cooldown: the server may have replaced the key.
 * If that fetch fails, the signature stays invalid: the known key did not make it, and anyone can send such a token.
 *
 * jose's `createRemoteJWKSet` (6.2) does not do this even with `customFetch`. After a failed fetch it has no pause. It does
 * not use keys past their maximum age. It fetches in the async context of the request, and uses `Date.now()` as its clock.
 *
 * @internal
 */
export class IssuerKeys implements Retried {
  private readonly fixed: KeySet | undefined;
  private source: KeySource | undefined;
  /** The previous source of the keys, until the new address has answered. */
  private previous: KeySource | undefined;
  /** Number of key sets loaded so far. */
  private loads = 0;

  constructor(
    private readonly server: TrustedAuthorizationServer,
    private readonly context: IssuerKeysContext,
  ) {
    const { jwks } = server.options;
    if (typeof jwks === 'object') this.fixed = this.toKeySet(jwks, 'the option "jwks"');
  }

  /**
   * Returns the key for a token at once if it is cached and fresh; undefined if {@link keyFor} has to find it.
   *
   * @param header - the token's header, not validated
   */
  atHand(header: Readonly<Record<string, unknown>>): CryptoKey | undefined {
    return (this.fixed ?? this.freshKeys())?.atHand(header);
  }

  /**
   * Returns the key for a token. Throws jose's error if the header does not identify exactly one key.
   *
   * @throws {@link DiscoveryError} if the keys cannot be fetched
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
   * Verifies a signature with the key that its header names, else with each key that fits. If it fails, verifies once more
   * with newer keys, if they are loaded or the server has them.
   *
   * @param verify - verifies with the key that its function returns
   * @throws what `verify` throws
   */
  async verify<T>(verify: (getKey: GetKey) => Promise<T>): Promise<T> {
    const { loads } = this;
    try {
      return await this.attempt(verify);
    } catch (error) {
      const isForged = error instanceof errors.JWSSignatureVerificationFailed;
      if (!isForged || !(await this.haveChangedSince(loads))) throw error;
    }
    return this.attempt(verify);
  }

  /**
   * Verifies a signature with the keys that are known already, fresh or stale. Fetches nothing.
   *
   * @throws {@link FetchNeeded} if {@link verify} would have to fetch keys before it could decide
   * @throws what `verify` throws
   */
  async verifyOffline<T>(verify: (getKey: GetKey) => Promise<T>): Promise<T> {
    const known = this.fixed ?? this.usableKeys();
    if (!known) throw new FetchNeeded(`the keys of ${this.server.issuer} are not fetched yet`);
    try {
      return await this.attempt(verify, (header, jws) => known.keyFor(header, jws));
    } catch (error) {
      if (!isCuredByNewKeys(error) || this.fixed) throw error;
      if (this.source && this.isCoolingDown(this.source.keys)) throw error;
      throw new FetchNeeded(`no known key fits, and the keys of ${this.server.issuer} may have changed`);
    }
  }

  private async attempt<T>(
    verify: (getKey: GetKey) => Promise<T>,
    getKey: GetKey = (header, jws) => this.atHand(header) ?? this.keyFor(header, jws),
  ): Promise<T> {
    try {
      return await verify(getKey);
    } catch (error) {
      return withAnyKey(error, (key) => verify(() => key));
    }
  }

  /** Returns the keys that may be used now, even if only until they can be renewed. */
  private usableKeys(): KeySet | undefined {
    const { server, source, previous } = this;
    const hasNoAddress =
      server.options.jwks === undefined && server instanceof AuthorizationServer && !server.peek();
    return hasNoAddress ? undefined : (source?.keys.peek() ?? previous?.keys.peek());
  }

  /** Whether the keys changed since an earlier load. Fetches them, except within the cooldown. */
  private async haveChangedSince(loads: number): Promise<boolean> {
    if (this.fixed) return false;
    try {
      const { keys } = await this.currentSource();
      // Another token may have caused a fetch while this one was verified.
      if (this.loads === loads && !this.isCoolingDown(keys)) await keys.refresh();
    } catch {
      // Reported where it failed. The signature is invalid with the known keys.
    }
    return this.loads !== loads;
  }

  /** Returns the state of the keys; undefined until they are needed, or if they are configured. */
  state(): RefreshState | undefined {
    const state = this.source?.keys.state();
    if (!state || state.isUsable) return state;
    return { ...state, isUsable: this.previous?.keys.peek() !== undefined };
  }

  retryInSeconds(): number | undefined {
    return this.source?.keys.retryInSeconds();
  }

  /** Fetches the keys now, except in the pause after a failure. */
  async refresh(): Promise<void> {
    const { keys } = await this.currentSource();
    await keys.refresh();
  }

  async look(): Promise<void> {
    if (this.fixed) return;
    // Without metadata the address of the keys is unknown. The state of the metadata shows that.
    const source = await this.currentSource().catch(() => undefined);
    await source?.keys.look();
  }

  /** Returns the keys if they are fresh and the metadata that names them is too. */
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
    // Kept only if it has keys: an address that never answered must not replace one that did.
    if (this.source?.keys.peek()) this.previous = this.source;
    this.source = { url, keys: this.keysAt(url) };
    return this.source;
  }

  private keysAt(url: string | undefined): RefreshedValue<KeySet> {
    const { cacheMaxAgeSeconds, staleMaxAgeSeconds } = this.server.options.remoteJwkSet;
    const keys = new RefreshedValue(() => this.traced(url), {
      ...this.context,
      freshSeconds: cacheMaxAgeSeconds,
      staleSeconds: Math.max(staleMaxAgeSeconds, cacheMaxAgeSeconds),
      onLoaded: () => {
        if (this.source?.keys === keys) this.previous = undefined;
        this.loads += 1;
        if (this.loads > 1) this.context.onRenewed();
      },
    });
    return keys;
  }

  private traced(url: string | undefined): Promise<KeySet> {
    if (!TRACES.keys.hasSubscribers) return this.load(url);
    return traced(TRACES.keys, { issuer: this.server.issuer }, () => this.load(url));
  }

  private async load(url: string | undefined): Promise<KeySet> {
    const { remoteJwkSet, jwks } = this.server.options;
    const { timeoutMs, headers } = remoteJwkSet;
    if (url !== undefined) {
      const limits = { timeoutMs, maxBytes: MAX_JWKS_BYTES, headers };
      return this.toKeySet(await fetchJson(url, { ...this.context, ...limits }), url);
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

/** Whether a verification that failed might succeed with newer keys. */
function isCuredByNewKeys(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
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
