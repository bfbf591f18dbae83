/** Longer values are cut off, in characters. */
const MAX_LENGTH = 200;

/** Far more than is kept, and little enough to be looked through. */
const MAX_LOOKED_AT = 4000;

/**
 * A value from elsewhere, as it may stand in a line of a log: control characters, line separators and invisible
 * format characters are written out, so that it cannot look like a line of its own; what looks like a JWT is left
 * out; the rest is cut off at 200 characters.
 *
 * @param secrets - what must not show, in any case: the credentials of the request that it is about
 * @internal
 */
export function escapeForLog(value: string, secrets: readonly string[] = []): string {
  const text = secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .reduce((hidden, secret) => hidden.replaceAll(secret, '[token]'), value)
    .slice(0, MAX_LOOKED_AT)
    .replace(/eyJ[\w-]{20,}(?:\.[\w-]*)*/g, '[token]')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
      const code = Number(character.codePointAt(0)).toString(16);
      return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
    });
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

/** What was thrown, for a log: its name and message if it is an error, else only what kind of value it is. @internal */
export function describeThrown(thrown: unknown, secrets: readonly string[] = []): string {
  return thrown instanceof Error
    ? escapeForLog(`${thrown.name}: ${thrown.message}`, secrets)
    : `a value of type ${typeof thrown}`;
}

/** As {@link describeThrown}, with the places in the code that the error came through. @internal */
export function describeFault(thrown: unknown, secrets: readonly string[] = []): string {
  const stack = thrown instanceof Error && typeof thrown.stack === 'string' ? thrown.stack : '';
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line));
  return [
    describeThrown(thrown, secrets),
    ...frames.map((frame) => `    ${escapeForLog(frame.trim())}`),
  ].join('\n');
}
