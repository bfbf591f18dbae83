import { CredentialsRejectedError, TokenRejectedError } from '../errors/rejection.errors.js';
import { type CredentialRequest, valuesOf } from './credential-sources.js';
import { type CredentialSources, hasQueryToken } from './extract-token.js';

/**
 * Returns the value of each line of the header of API keys. In `headers`, Node joins several.
 *
 * @param header - its name, in lower case
 * @internal
 */
export function apiKeysIn(request: CredentialRequest, header: string): readonly string[] {
  return valuesOf(request, header);
}

/**
 * Returns the one API key of a request. Node has removed the white space around it. Its form is not checked: see
 * {@link assertKeyForm}.
 *
 * @param lines - the lines of its header, at least one
 * @throws {@link CredentialsRejectedError} if the key is empty, or there is another credential: a second key, anything in
 * `Authorization`, or a token in the query
 * @internal
 */
export function extractApiKey(
  lines: readonly string[],
  { authorization, target }: CredentialSources,
): string {
  const [key = '', ...others] = lines;
  // A proxy joins lines by commas, so no key has one.
  const isJoined = others.length > 0 || key.includes(',');
  if (isJoined || authorization.length > 0 || hasQueryToken(target))
    throw new CredentialsRejectedError('multiple_credentials');
  if (key === '') throw new CredentialsRejectedError('missing_token');
  return key;
}

/**
 * Validates a key's length and characters: printable ASCII without space.
 *
 * @throws {@link TokenRejectedError} `too_long` or `malformed`
 * @internal
 */
export function assertKeyForm(key: string, maxLength: number): void {
  if (key.length > maxLength) throw new TokenRejectedError('too_long');
  if (!/^[\x21-\x7E]+$/.test(key)) throw new TokenRejectedError('malformed');
}
