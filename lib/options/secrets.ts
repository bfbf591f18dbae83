import type { Problem } from './value-rules.js';

/** As many characters as 32 random bytes take in base64url. */
const MIN_LENGTH = 43;

const TOO_SHORT = `must be text of at least ${String(MIN_LENGTH)} characters, such as 32 random bytes in base64url`;

/**
 * A list of one secret, or of two different ones while one replaces the other. Messages contain no secret.
 *
 * @internal
 */
export const isSecrets: Problem = (value) => {
  if (!Array.isArray(value)) return 'must be a list of secrets';
  if (value.length < 1 || value.length > 2)
    return 'must have one secret, or two while one replaces the other';
  const short = value.findIndex((secret) => typeof secret !== 'string' || secret.length < MIN_LENGTH);
  if (short >= 0) return `member ${String(short)} ${TOO_SHORT}`;
  return value[0] === value[1] ? 'has the same secret twice; leave the second one out' : undefined;
};

const fixedSecrets = new WeakSet<() => unknown>();

/** Returns a function that returns a secret that was given as text. @internal */
export function fixedSecret(text: string): () => string {
  const give = (): string => text;
  fixedSecrets.add(give);
  return give;
}

/** Whether a function is of {@link fixedSecret}. @internal */
export function isFixedSecret(give: () => unknown): give is () => string {
  return fixedSecrets.has(give);
}
