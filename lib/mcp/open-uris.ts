/** A simple expression of a URI template: one variable. */
const VARIABLE = /\{[A-Za-z0-9_]+\}/g;

/** A value of a variable: unreserved characters. */
const VALUE = /^[A-Za-z0-9._~-]+$/;

/**
 * Returns a function that tells whether a URI is exactly that of a resource, or exactly of the form of its template. It is for
 * what a match opens, so it matches less than any transport: each variable has at least one character, only letters, digits and
 * `-._~`, and is no dot segment. Servers may divide a URI differently, so one that can be divided into values in several ways
 * does not match. A template with other expressions than `{name}` matches nothing. What a match protects has another matcher,
 * which matches more: `uriMatcher`.
 *
 * Callers without a token choose the URI. The time is linear in its length.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6570#section-3.2.2 | RFC 6570 section 3.2.2}
 * @internal
 */
export function strictUriMatcher(declared: string): (uri: string) => boolean {
  if (!isSimple(declared)) return () => false;
  const [first = '', ...between] = declared.split(VARIABLE);
  const last = between.pop();
  if (last === undefined) return (uri) => uri === declared;
  return (uri) => {
    if (!uri.startsWith(first) || !uri.endsWith(last)) return false;
    const values = onlyDivision(uri.slice(first.length, uri.length - last.length), between);
    return values !== undefined && values.every(isPlain);
  };
}

/** Whether a URI can match at all: the text is a URI, or a template with simple expressions only. @internal */
export function isSimple(declared: string): boolean {
  return !/[{}]/.test(declared.replace(VARIABLE, ''));
}

/** Returns the texts around literals, in order and none of them empty; undefined if there are none or several possibilities. */
function onlyDivision(text: string, literals: readonly string[]): readonly string[] | undefined {
  const places: number[] = [];
  const values: string[] = [];
  let start = 0;
  for (const literal of literals) {
    const place = text.indexOf(literal, start + 1);
    if (place <= start) return undefined;
    places.push(place);
    values.push(text.slice(start, place));
    start = place + literal.length;
  }
  if (start >= text.length) return undefined;
  // These are the first places. There are no others if they are the last ones too.
  let end = text.length;
  for (let index = literals.length - 1; index >= 0; index--) {
    const literal = literals[index] ?? '';
    end = text.lastIndexOf(literal, end - 1 - literal.length);
    if (end !== places[index]) return undefined;
  }
  return [...values, text.slice(start)];
}

function isPlain(value: string): boolean {
  return VALUE.test(value) && value !== '.' && value !== '..';
}
