/**
 * Returns a URL in the form in which two spellings of one are equal: scheme and host in lower case, no default port, no dot
 * segments, percent-encoding only where it is needed and in upper case, without query and fragment.
 *
 * @returns undefined for text that is no http(s) URL, or has a user
 * @see {@link https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2 | RFC 3986 section 6.2.2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 | RFC 9449 section 4.3}
 * @internal
 */
export function normalizedUrl(text: string): string | undefined {
  // URL parsers drop white space and read "\" as "/".
  if (!/^https?:\/\/[\x21-\x5B\x5D-\x7E]+$/i.test(text) || !URL.canParse(text)) return undefined;
  const { origin, pathname, username, password } = new URL(text);
  if (username !== '' || password !== '') return undefined;
  return origin + pathname.replace(/%[\da-f]{2}/gi, decodedIfUnreserved);
}

/**
 * Returns the URL that a proof for a request must name: the origin of the resource and the path of the request.
 *
 * @param resource - the resource identifier
 * @param target - the request target: a path, or a URL of which only the path counts
 * @returns undefined if the target has no path
 * @internal
 */
export function proofUrl(resource: string, target: string): string | undefined {
  const path = /^(?:https?:\/\/[^/?#]*)?(\/[^?#]*)/i.exec(target)?.[1];
  return path === undefined ? undefined : normalizedUrl(new URL(resource).origin + path);
}

function decodedIfUnreserved(encoded: string): string {
  const character = characterOf(encoded);
  return /^[\w.~-]$/.test(character) ? character : encoded.toUpperCase();
}

function characterOf(encoded: string): string {
  return String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
}
