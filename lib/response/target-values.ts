/** The part of a Node request that tells its target. @internal */
export interface TargetedRequest {
  url?: string | undefined;
  originalUrl?: string | undefined;
}

/** What may stand around a value in a target. Platforms differ in where a query begins: on Fastify, at a `#` too. */
const AROUND_VALUES = /[/?#;&=,[\] ]/;

/**
 * A text of a target as it is compared: percent-decoded, wrongly encoded parts as they are, and with each `+` as a
 * space: whether it means one is for the handler to say. A character for each byte.
 *
 * @internal
 */
export function targetText(text: string): string {
  return unitsOf(text).map(decoded).join('');
}

/** The characters of a text, one byte each, with those that are percent-encoded in one piece. */
function unitsOf(text: string): string[] {
  return (
    Buffer.from(text)
      .toString('latin1')
      .match(/%[0-9a-f]{2}|[^]/gi) ?? []
  );
}

function decoded(unit: string): string {
  const character = unit.length === 1 ? unit : String.fromCharCode(Number.parseInt(unit.slice(1), 16));
  return character === '+' ? ' ' : character;
}

/** The part of a value by which it is looked up: the longest that nothing divides. Empty where there is none. @internal */
export function longestPart(value: string): string {
  return value
    .split(AROUND_VALUES)
    .reduce((longest, part) => (part.length > longest.length ? part : longest), '');
}

/** The undivided parts of the target of a request, however it is encoded. @internal */
export function targetParts({ url = '', originalUrl = '' }: TargetedRequest): ReadonlySet<string> {
  const parts = targetText(url).split(AROUND_VALUES);
  if (originalUrl === '' || originalUrl === url) return new Set(parts);
  return new Set([...parts, ...targetText(originalUrl).split(AROUND_VALUES)]);
}

/** Tells whether a value stands in the target of a request. @internal */
export function hasTargetValue({ url = '', originalUrl = '' }: TargetedRequest, value: string): boolean {
  return [url, originalUrl].some((target) => replaced(target, value, '') !== target);
}

/**
 * Puts a value in the place of another in the target of a request, and in what the platform has read from it.
 *
 * @param request - the platform's request
 * @param node - the Node request in it
 * @param value - as {@link targetText} reads it
 * @internal
 */
export function replaceTargetValue(request: object, node: TargetedRequest, value: string, by: string): void {
  if (node.url !== undefined) node.url = replaced(node.url, value, by);
  if (node.originalUrl !== undefined) node.originalUrl = replaced(node.originalUrl, value, by);
  const { query, params } = request as { query?: unknown; params?: unknown };
  for (const read of [query, params]) replaceMembers(read, value, by);
}

function replaceMembers(read: unknown, value: string, by: string): void {
  if (typeof read !== 'object' || read === null) return;
  const members = read as Record<string, unknown>;
  for (const [name, member] of Object.entries(members)) {
    if (typeof member === 'string') members[name] = replaced(member, value, by);
    else replaceMembers(member, value, by);
    const renamed = replaced(name, value, by);
    if (renamed === name) continue;
    members[renamed] = members[name];
    Reflect.deleteProperty(members, name);
  }
}

/** A text with another value in the place of one that stands by itself, and otherwise as it was. */
function replaced(text: string, value: string, by: string): string {
  const units = unitsOf(text);
  const read = units.map(decoded).join('');
  const isEdge = (at: number): boolean => at < 0 || at >= read.length || AROUND_VALUES.test(read.charAt(at));
  let result = '';
  let from = 0;
  for (let at = read.indexOf(value); at >= 0; at = read.indexOf(value, at + 1)) {
    if (at < from || !isEdge(at - 1) || !isEdge(at + value.length)) continue;
    result += units.slice(from, at).join('') + by;
    from = at + value.length;
  }
  return from === 0 ? text : result + units.slice(from).join('');
}
