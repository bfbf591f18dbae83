/**
 * Makes a test for URIs that a template may stand for.
 *
 * Transports read templates and URIs in their own ways: with or without regard to scheme, letter case, encoding, query
 * and a slash at the end. A URI belongs to a template when any of these readings says so: the scopes of one template too
 * many are asked for rather than those of one too few. Each variable stands for any text, also an empty one.
 *
 * @param template - a URI, or a template by RFC 6570 or in the form of route paths (`:id`, `*rest`)
 * @see {@link https://www.rfc-editor.org/rfc/rfc6570 | RFC 6570}
 * @internal
 */
export function uriMatcher(template: string): (uri: string) => boolean {
  const texts = withoutQueryVariables(withoutScheme(template))
    .split(/(?:\{[^}]*\}|[:*]\w+)+/)
    .map(decoded);
  const pieces = [...texts.slice(0, -1), withoutSlash(texts.at(-1) ?? '')].map((text) => text.toLowerCase());
  return (uri) => [...readingsOf(uri)].some((reading) => isMadeOf(pieces, reading.toLowerCase()));
}

/** Whether a text is these pieces with anything in between. Looks at each character once for each piece. */
function isMadeOf(pieces: readonly string[], text: string): boolean {
  const [first = '', ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let position = first.length;
  for (const piece of others) {
    const found = text.indexOf(piece, position);
    if (found === -1) return false;
    position = found + piece.length;
  }
  return text.length - last.length >= position && text.endsWith(last);
}

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

function withoutQueryVariables(template: string): string {
  return template.replace(/\{[?&][^}]*\}/g, '');
}

function readingsOf(uri: string): ReadonlySet<string> {
  const resolved = URL.canParse(uri) ? [new URL(uri).href] : [];
  const whole = [uri, ...resolved].map(withoutScheme);
  const cut = [/[?]/, /[?#]/, /:\/\//].flatMap((end) => whole.map((each) => each.split(end, 1)[0] ?? ''));
  const readings = [...whole, ...cut];
  const spelled = [...readings, ...readings.map(decoded)];
  return new Set([...spelled, ...spelled.map(withoutSlash)]);
}

function withoutScheme(uri: string): string {
  const start = uri.indexOf('://');
  return start === -1 ? uri : uri.slice(start + '://'.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
