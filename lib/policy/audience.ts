import { canonicalResource } from '../options/url-rules.js';

/**
 * Tells whether a token's `aud` names one of the accepted audiences.
 *
 * Scheme and host letter case, a default port and one trailing slash make no difference; everything else
 * does. A prefix is a match only when `match` is `hierarchical`, by whole segments of the path. Does not look at
 * what else the token is for.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3 | RFC 7519 section 4.1.3}
 * @internal
 */
export function namesAudience(
  aud: unknown,
  accepted: readonly string[],
  match: 'exact' | 'hierarchical' = 'exact',
): boolean {
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  // Most tokens name it as it is configured, which is told without taking it apart.
  if (named.some((value) => accepted.includes(value as string))) return true;
  const forms = match === 'exact' ? exactForms(accepted) : formsWithAncestors(accepted);
  return named.some((value) => typeof value === 'string' && forms.has(canonicalResource(value)));
}

const exactForms = oncePerList((accepted) => accepted.map(canonicalResource));

const formsWithAncestors = oncePerList((accepted) => accepted.map(canonicalResource).flatMap(withAncestors));

/** By the list that they were made from, which is that of the options and does not change. */
function oncePerList(make: (accepted: readonly string[]) => readonly string[]) {
  const known = new WeakMap<readonly string[], ReadonlySet<string>>();
  return (accepted: readonly string[]): ReadonlySet<string> => {
    const forms = known.get(accepted) ?? new Set(make(accepted));
    known.set(accepted, forms);
    return forms;
  };
}

/** A canonical URL and those that its path goes through, up to the origin. What is no plain http(s) URL has none. */
function withAncestors(form: string): readonly string[] {
  const [, origin, path] = /^(https?:\/\/[^/?#]+)([^?#]*)$/.exec(form) ?? [];
  if (origin === undefined || path === undefined) return [form];
  const segments = path.split('/');
  return segments.map((_, last) => origin + segments.slice(0, last + 1).join('/'));
}
