import { CheckOptional } from './check.decorator.js';
import type { ReplayStore } from './replay-store.js';
import type { Problem } from './value-rules.js';

/** @internal */
export const isReplayStore: Problem = (value) =>
  isReserving(value) ? undefined : 'must be an object with a method "reserve"';

/** The options of a feature that accepts something only once. @publicApi */
export class OneTimeTokenOptions {
  /**
   * Remembers which tokens were used. Replicas of the application must share it, for example by `RedisReplayStore` of
   * `nestjs-mcp-auth/redis`.
   *
   * @defaultValue in the memory of this process: up to 500,000 tokens that have not expired. Further ones are answered with 503
   */
  @CheckOptional(isReplayStore) readonly replayStore?: ReplayStore;
}

/**
 * Replaces a `replayStore` among the options by an object of ours that calls it. Options are copied and frozen, and a store
 * must be neither. A value that is no store becomes an empty object: a client of a database would be copied with all its
 * sockets before it is rejected.
 *
 * @internal
 */
export function withReplayStoreKept(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !('replayStore' in given)) return given;
  const { replayStore: store } = given;
  if (typeof store !== 'object' || store === null) return given;
  return { ...given, replayStore: isReserving(store) ? kept(store) : {} };
}

const keptStores = new WeakMap<ReplayStore, ReplayStore>();

/** Returns the same function for the same store: an authorization server with another store counts as another server. */
function kept(store: ReplayStore): ReplayStore {
  const known = keptStores.get(store) ?? { reserve: (key, ttlMs) => store.reserve(key, ttlMs) };
  keptStores.set(store, known);
  return known;
}

function isReserving(value: unknown): value is ReplayStore {
  return typeof (value as Partial<ReplayStore> | null | undefined)?.reserve === 'function';
}
