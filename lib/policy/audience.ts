import { canonicalResource } from '../options/url-rules.js';

/**
 * Returns whether a token's `aud` names one of the accepted audiences.
 *
 * Letter case of scheme and host, a default port and one trailing slash are ignored; everything else must be equal. A
 * prefix matches only if `match` is `hierarchical`, by whole path segments. Other audiences of the token are ignored.
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
  // Most tokens name it exactly as configured. Then no parsing is needed.
  if (named.some((value) => accepted.includes(value as string))) return true;
  const forms = match === 'exact' ? exactForms(accepted) : formsWithAncestors(accepted);
  return named.some((value) => typeof value === 'string' && forms.has(canonicalResource(value)));
}

const exactForms = oncePerList((accepted) => accepted.map(canonicalResource));

const formsWithAncestors = oncePerList((accepted) => accepted.map(canonicalResource).flatMap(withAncestors));

/** Caches the forms by their list, which belongs to the options and does not change. */
function oncePerList(make: (accepted: readonly string[]) => readonly string[]) {
  const known = new WeakMap<readonly string[], ReadonlySet<string>>();
  return (accepted: readonly string[]): ReadonlySet<string> => {
    const forms = known.get(accepted) ?? new Set(make(accepted));
    known.set(accepted, forms);
    return forms;
  };
}

/** Returns a canonical URL and its parent URLs up to the origin. Only a plain http(s) URL has parents. */
function withAncestors(form: string): readonly string[] {
  const [, origin, path] = /^(https?:\/\/[^/?#]+)([^?#]*)$/.exec(form) ?? [];
  if (origin === undefined || path === undefined) return [form];
  const segments = path.split('/');
  return segments.map((_, last) => origin + segments.slice(0, last + 1).join('/'));
}
