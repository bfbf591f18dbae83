import { canonicalResource } from '../options/url-rules.js';

/**
 * Tells whether a token's `aud` names one of the accepted audiences.
 *
 * Scheme and host letter case, a default port and one trailing slash make no difference; everything else
 * does. A prefix is not a match. Does not look at what else the token is for.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3 | RFC 7519 section 4.1.3}
 * @internal
 */
export function namesAudience(aud: unknown, accepted: readonly string[]): boolean {
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const canonical = canonicalForms(accepted);
  return named.some((value) => typeof value === 'string' && canonical.has(canonicalResource(value)));
}

/** By the list that they were made from, which is that of the options and does not change. */
const known = new WeakMap<readonly string[], ReadonlySet<string>>();

function canonicalForms(accepted: readonly string[]): ReadonlySet<string> {
  const forms = known.get(accepted) ?? new Set(accepted.map(canonicalResource));
  known.set(accepted, forms);
  return forms;
}
