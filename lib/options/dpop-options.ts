import { SIGNATURE_ALGORITHMS } from './algorithms.js';
import { Check, CheckOptional, CheckOptionalObject } from './check.decorator.js';
import type { ReplayStore } from './replay-store.js';
import { isReplayStore, withReplayStoreKept } from './replay-store-options.js';
import { isSecrets } from './secrets.js';
import { isListOf, isOneOf, isWholeNumber } from './value-rules.js';

/**
 * Nonces of the resource, which clients put into their proofs.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-9 | RFC 9449 section 9}
 * @publicApi
 */
export class DpopNonceOptions {
  /**
   * The secrets that nonces are made with: the current one, and the one before it while it is replaced. All replicas have the
   * same ones, so they need no store. Text of at least 43 characters, such as 32 random bytes in base64url. Never printed.
   */
  @Check(isSecrets) readonly secrets!: readonly [string, string?];
}

/**
 * Proofs of possession by DPoP: a token that is bound to a key is accepted only with a proof that its sender has the key.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449 | RFC 9449}
 * @publicApi
 */
export class DpopOptions {
  /** `allowed`: bound tokens and bearer tokens are accepted. `required`: only bound tokens are. */
  @Check(isOneOf('allowed', 'required')) readonly mode!: 'allowed' | 'required';

  /**
   * The algorithms that proofs may be signed with, all asymmetric. They are published in the metadata and in challenges.
   *
   * @defaultValue every asymmetric algorithm that tokens may be signed with by default
   */
  @CheckOptional(isListOf(isOneOf(...SIGNATURE_ALGORITHMS), { nonEmpty: true }))
  readonly algorithms?: readonly string[] = SIGNATURE_ALGORITHMS;

  /**
   * How far the `iat` of a proof may be from the time of the request, in both directions. Unit: seconds. Range: 1 to 3600.
   *
   * @defaultValue 300
   */
  @CheckOptional(isWholeNumber(1, 3600, 'seconds')) readonly proofMaxAgeSeconds?: number = 300;

  /**
   * Asks clients to put a nonce of the resource into each proof, so that no proof can be made in advance. A nonce is valid for
   * `proofMaxAgeSeconds`; a client without a valid one gets a new one with its 401, and sends its request again.
   *
   * @defaultValue none: proofs need no nonce
   */
  @CheckOptionalObject(() => DpopNonceOptions) readonly nonce?: DpopNonceOptions;

  /**
   * Remembers which proofs were used, so that each is accepted once. Replicas of the application must share it, for example by
   * `RedisReplayStore` of `nestjs-mcp-auth/redis`.
   *
   * @defaultValue in the memory of this process: up to 500,000 proofs that may still be sent. Further ones are answered with 503,
   * and those of a person who has as many as are free
   */
  @CheckOptional(isReplayStore) readonly replayStore?: ReplayStore;
}

/** Writes the short forms of the option out, and keeps its store as it is. @internal */
export function writtenOutDpop(given: unknown): unknown {
  if (given === 'off') return undefined;
  return given === 'allowed' || given === 'required' ? { mode: given } : withReplayStoreKept(given);
}
