const NONE: readonly string[] = [];

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
    const line = lines[index - 1];
    // The length first: it differs for nearly all lines.
    if (line?.length !== name.length || line.toLowerCase() !== name) continue;
    const value = lines[index] ?? '';
    // A list that begins with its first value reserves no room for more.
    if (values) values.push(value);
    else values = [value];
  }
  return values ?? NONE;
}
