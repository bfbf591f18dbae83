import { type CryptoKey, errors } from 'jose';
import { MAX_KEY_CANDIDATES } from '../mcp-auth.constants.js';

/**
 * Tries the keys that fit a header without a key id, or with one that several keys have: eight at most, and past
 * those that are unusable or not the right one.
 *
 * @param error - what the first attempt failed with
 * @param attempt - verifies with one key
 * @throws the same error where it is about anything else; a failed verification where no key is the right one
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
