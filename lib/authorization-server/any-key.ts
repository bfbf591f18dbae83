import { type CryptoKey, errors } from 'jose';
import { MAX_KEY_CANDIDATES } from '../mcp-auth.constants.js';

/**
 * Verifies with each key that fits a header without a key id, or with an id that several keys share.
 *
 * It tries at most eight keys, and skips keys that are unusable or do not match.
 *
 * @param error - the error of the first attempt
 * @param attempt - verifies with one key
 * @throws the same error if it has another cause; a failed verification if no key matches
 * @internal
 */
export async function withAnyKey<T>(error: unknown, attempt: (key: CryptoKey) => Promise<T>): Promise<T> {
  if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
  let tried = 0;
  for await (const key of error) {
    try {
      return await attempt(key);
    } catch (failure) {
      if (!(failure instanceof errors.JWSSignatureVerificationFailed || failure instanceof TypeError))
        throw failure;
    }
    if (++tried === MAX_KEY_CANDIDATES) break;
  }
  throw new errors.JWSSignatureVerificationFailed();
}
