/** A simple expression of a URI template: one variable. */
const VARIABLE = /\{[A-Za-z0-9_]+\}/g;

/** A value of a variable: unreserved characters, and no dot segment. */
const VALUE = '(?!\\.{1,2}(?:[/?#]|$))[A-Za-z0-9._~-]+';

/**
 * Returns a function that tells whether a URI is exactly that of a resource, or exactly of the form of its template. It is for
 * what a match opens, so it matches less than any transport: each variable has at least one character, and only letters, digits
 * and `-._~`. A template with other expressions than `{name}` matches nothing. What a match protects has another matcher, which
 * matches more: `uriMatcher`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6570#section-3.2.2 | RFC 6570 section 3.2.2}
 * @internal
 */
export function strictUriMatcher(declared: string): (uri: string) => boolean {
  const literals = declared.split(VARIABLE);
  if (literals.some((literal) => /[{}]/.test(literal))) return () => false;
  const pattern = new RegExp(`^${literals.map((literal) => escaped(literal)).join(VALUE)}$`);
  return (uri) => pattern.test(uri);
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]|/-]/g, '\\$&');
}
