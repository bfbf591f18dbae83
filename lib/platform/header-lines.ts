const NONE: readonly string[] = [];

/** The bit by which lower-case letters differ from upper-case letters. */
const LOWER_CASE = 0x20;

/**
 * The values of all lines of a header.
 *
 * @param lines - names and values by turns, as `rawHeaders` has them
 * @param name - in lower case
 * @internal
 */
export function valuesIn(lines: readonly string[], name: string): readonly string[] {
  let values: string[] | undefined;
  for (let index = 1; index < lines.length; index += 2) {
    if (isNamed(lines[index - 1], name)) (values ??= []).push(lines[index] ?? '');
  }
  return values ?? NONE;
}

/** The length and the first letter first: nearly all lines are told apart by them. */
function isNamed(line: string | undefined, name: string): boolean {
  return (
    line?.length === name.length &&
    (line.charCodeAt(0) | LOWER_CASE) === (name.charCodeAt(0) | LOWER_CASE) &&
    line.toLowerCase() === name
  );
}
