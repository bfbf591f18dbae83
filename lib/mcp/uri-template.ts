/** What stands for any text: `:id`, `*rest`, `*"any name"`, and what is escaped in a route path. */
const OPEN_PARTS = /(?:[:*](?:"[^"]*"|[\p{ID_Continue}$\u200c\u200d]+)|\\.)+/u;

/** In place of what braces held. */
const OPEN = '*"any"';

/** The texts between the variables of a template, in order. */
type Pieces = readonly string[];

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
export function uriMatcher(template: string): (uri: string, readings?: UriReadings) => boolean {
  const rest = withoutScheme(template);
  // One that has the mark of a scheme twice is cut at the second by some, as URIs are.
  const spellings = [...new Set([rest, rest.split('://', 1)[0] ?? ''])].map(piecesOf);
  const plain = spellings.map((pieces) => pieces.map(folded));
  const decoded = spellings.map((pieces) => pieces.map(bytes).map(folded));
  return (uri, readings = readUri(uri)) =>
    readings.plain.some((reading) => plain.some((pieces) => isMadeOf(pieces, reading))) ||
    readings.decoded.some((reading) => decoded.some((pieces) => isMadeOf(pieces, reading)));
}

/** The texts that a URI may be read as, made once for many templates. @internal */
export interface UriReadings {
  readonly plain: readonly string[];
  /** With the percent encoding undone. */
  readonly decoded: readonly string[];
}

/** @internal */
export function readUri(uri: string): UriReadings {
  const readings = readingsOf(uri);
  return {
    plain: readings.map(folded),
    decoded: [...new Set(readings.map((reading) => folded(withoutSlash(bytes(reading)))))],
  };
}

/** Whether a text is these pieces with anything in between. Looks at each character once for each piece. */
function isMadeOf(pieces: Pieces, text: string): boolean {
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

function piecesOf(template: string): Pieces {
  const texts = withoutBraces(template.replace(/\{\?[^}]*\}/g, '')).split(OPEN_PARTS);
  return [...texts.slice(0, -1), withoutSlash(texts.at(-1) ?? '')];
}

/** Braces of route paths may hold others. */
function withoutBraces(template: string): string {
  const outer = template.replace(/\{[^{}]*\}/g, OPEN);
  return outer === template ? template : withoutBraces(outer);
}

function readingsOf(uri: string): readonly string[] {
  const resolved = URL.canParse(uri) ? [new URL(uri).href] : [];
  const whole = [uri, ...resolved].map(withoutScheme);
  const cut = [/[?]/, /[?#]/, /:\/\//].flatMap((end) => whole.map((each) => each.split(end, 1)[0] ?? ''));
  const readings = [...whole, ...cut];
  return [...new Set([...readings, ...readings.map(withoutSlash)])];
}

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

function withoutScheme(uri: string): string {
  const start = uri.indexOf('://');
  return start === -1 ? uri : uri.slice(start + '://'.length);
}

/**
 * A text with its percent encoding undone, as one character for each byte. Unlike `decodeURIComponent()` it fails for no
 * text: one escape that is none must not keep the others as they are.
 */
function bytes(text: string): string {
  const encoded = Buffer.from(text).toString('latin1');
  return encoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Without regard to letter case, at least as coarse as patterns with the flag `i`. */
function folded(text: string): string {
  return text.toLowerCase().toUpperCase();
}
