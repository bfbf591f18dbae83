import { urlOf } from '../options/url-rules.js';

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
  const spellings = spellingsOf(withoutScheme(template));
  const plain = spellings.map((pieces) => pieces.map(folded));
  const decoded = spellings.map((pieces) => pieces.map(bytes).map(folded));
  return (uri, readings = readUri(uri)) =>
    readings.plain.some((reading) => plain.some((pieces) => isMadeOf(pieces, reading))) ||
    readings.decoded.some((reading) => decoded.some((pieces) => isMadeOf(pieces, reading)));
}

/**
 * A URI in every way that some transport may read it for a template: as sent, and with scheme and fixed parts of the
 * template before and after its percent encoding is undone, without query, fragment and a slash at the end.
 *
 * @returns only the URI where it is spelled as the template is, and has none of these
 * @internal
 */
export function uriSpellings(template: string, uri: string): readonly string[] {
  const rest = withoutScheme(template);
  const scheme = template.slice(0, template.length - rest.length);
  const spellings = spellingsOf(rest);
  const plain = readingsOf(uri);
  const decoded = plain.map(decodedText);
  const readings = [...new Set([...plain, ...decoded, ...decoded.map(withoutSlash)])];
  const spelled = readings.flatMap((reading) => {
    const folded = foldedEvenly(reading);
    const respell = (written: Pieces, pieces = written): string[] =>
      respelled(reading, folded, written, pieces);
    return [
      reading,
      ...spellings.flatMap((pieces) => [...respell(pieces), ...respell(pieces, pieces.map(decodedText))]),
    ];
  });
  return [...new Set([uri, ...spelled.map((each) => scheme + each)])];
}

/** One that has the mark of a scheme twice is cut at the second by some, as URIs are. */
function spellingsOf(rest: string): readonly Pieces[] {
  return [...new Set([rest, rest.split('://', 1)[0] ?? ''])].map(piecesOf);
}

/** A text that is these pieces in any letter case with anything in between: with the pieces as they are written. */
function respelled(text: string, whole: string, written: Pieces, pieces: Pieces): string[] {
  const [first = '', ...others] = pieces.map(foldedEvenly);
  const last = others.pop();
  if (last === undefined) return whole === first ? [written.join('')] : [];
  if (!whole.startsWith(first) || !whole.endsWith(last)) return [];
  const starts = [0];
  let position = first.length;
  for (const piece of others) {
    const found = whole.indexOf(piece, position);
    if (found === -1) return [];
    starts.push(found);
    position = found + piece.length;
  }
  starts.push(text.length - last.length);
  if (position > text.length - last.length) return [];
  const lengths = [first, ...others, last].map(({ length }) => length);
  const between = starts.map((start, index) => text.slice(start + (lengths[index] ?? 0), starts[index + 1]));
  return [written.map((piece, index) => piece + (between[index] ?? '')).join('')];
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
  const resolved = [urlOf(uri)?.href ?? uri];
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
  const given = Buffer.from(text);
  if (!given.includes('%')) return given.toString('latin1');
  let length = 0;
  for (let position = 0; position < given.length; position++) {
    const byte = given[position] ?? 0;
    const escaped = byte === PERCENT ? hexByte(given[position + 1], given[position + 2]) : -1;
    given[length++] = escaped < 0 ? byte : escaped;
    if (escaped >= 0) position += 2;
  }
  return given.toString('latin1', 0, length);
}

const PERCENT = 0x25;

/** What two characters stand for, or less than 0. */
function hexByte(high = 0, low = 0): number {
  return hexDigit(high) * 16 + hexDigit(low);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -256;
}

/** Without regard to letter case, at least as coarse as patterns with the flag `i`. */
function folded(text: string): string {
  return text.toLowerCase().toUpperCase();
}

/** The same, as long as the text is: what would become longer is folded as far as it does not, as the flag `i` does it. */
function foldedEvenly(text: string): string {
  const whole = folded(text);
  if (whole.length === text.length) return whole;
  return text.replace(/[^]/g, (each) => {
    const [lower, upper] = [each.toLowerCase(), folded(each)];
    return [upper, lower].find(({ length }) => length === 1) ?? each;
  });
}

/** A text with its percent encoding undone; what is no UTF-8 is replaced. */
function decodedText(text: string): string {
  return Buffer.from(bytes(text), 'latin1').toString();
}
