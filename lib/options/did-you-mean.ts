/**
 * Returns the known name that a mistyped one most likely stands for, or undefined if none is near.
 *
 * A name is near if at most a third of the letters differ, by Levenshtein distance, ignoring case.
 *
 * @internal
 */
export function didYouMean(unknown: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(unknown.length / 3));
  const [best] = known
    .map((name) => ({ name, distance: distance(unknown.toLowerCase(), name.toLowerCase()) }))
    .filter((candidate) => candidate.distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/** Names of `jose` and of guards built on it: what they are called here, and where that option is. */
const OTHER_NAMES: ReadonlyMap<string, readonly [option: string, of: string]> = new Map([
  ['leeway', ['clockToleranceSeconds', 'the module']],
  ['clocktolerance', ['clockToleranceSeconds', 'the module']],
  ['timeoutduration', ['timeoutMs', '"remoteJwkSet"']],
  ['cooldownduration', ['cooldownSeconds', '"remoteJwkSet"']],
  ['cachemaxage', ['cacheMaxAgeSeconds', '"remoteJwkSet"']],
  ['maxtokenage', ['maxTokenAgeSeconds', 'an authorization server']],
]);

const JWT_VERIFY =
  'Set "clockToleranceSeconds" of the module, and "algorithms", "requiredClaims" and "maxTokenAgeSeconds" of an ' +
  'authorization server.';

/**
 * Returns a hint for the name that another library uses for an option, ignoring case.
 *
 * @param known - the options that are valid beside it
 * @returns undefined if no other library uses the name
 * @internal
 */
export function hintForOtherName(unknown: string, known: readonly string[]): string | undefined {
  const name = unknown.toLowerCase();
  if (name === 'jwtverify' || name === 'jwtverifyoptions') return JWT_VERIFY;
  const other = OTHER_NAMES.get(name);
  if (!other) return undefined;
  const [option, of] = other;
  return known.includes(option) ? `Did you mean "${option}"?` : `Did you mean "${option}" of ${of}?`;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
