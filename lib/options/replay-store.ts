/**
 * Remembers which proofs and one-time tokens were used. The application may share one store between its replicas.
 *
 * The package gives it hashes and never a token, a proof or a claim. A store may put a prefix before a key. It must tell apart
 * keys that differ in one character, also if that is only the case of a letter.
 *
 * `replayStoreContract()` of `nestjs-mcp-auth/testing` tests a store against this contract.
 *
 * @publicApi
 */
export interface ReplayStore {
  /**
   * Reserves a key, unless it is reserved already. To look and to reserve must be one atomic operation: of several calls for
   * one key at the same time, on all replicas together, exactly one gets true.
   *
   * A reservation ends after `ttlMs` and not earlier, also if the store is full or a second call for the key gets false. A
   * call that gets false does not prolong it.
   *
   * @param key - 1 to 200 characters of printable ASCII without spaces
   * @param ttlMs - a whole number of milliseconds from 1 to 2678400000, which is 31 days
   * @returns true if the key was free, and is reserved now; false if it was reserved already. Any other value is an error of
   * the store: the request is answered with 500
   * @throws if the store cannot tell, for example because it is full or cannot be reached. The request is answered with 503.
   * The key may be reserved then
   */
  reserve(key: string, ttlMs: number): Promise<boolean>;
}

/** The greatest length of a key of a {@link ReplayStore}. @internal */
export const MAX_REPLAY_KEY_LENGTH = 200;

/** The longest reservation of a {@link ReplayStore}: 31 days. Unit: milliseconds. @internal */
export const MAX_REPLAY_TTL_MS = 2_678_400_000;
