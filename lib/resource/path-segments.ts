/**
 * Returns the segments of a path as lenient programs read it: in lower case, decoded, without empty segments and without text
 * after ";", "?" and "#".
 *
 * @internal
 */
export function literalSegments(path: string): string[] {
  return decoded(path)
    .toLowerCase()
    .split(/[/\\]+/)
    .map((segment) => segment.split(/[;?#]/, 1)[0] ?? '')
    .filter((segment) => segment !== '');
}

/** Whether a path has dot segments, which some programs resolve. @internal */
export function hasDots(segments: readonly string[]): boolean {
  return segments.includes('.') || segments.includes('..');
}

/** Decodes every escape by itself, so that a malformed one hides no other. Bytes that are not UTF-8 match nothing. */
function decoded(path: string): string {
  return path.replace(/(?:%[\da-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
  );
}
