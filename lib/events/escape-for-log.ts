/** Maximum length of a value; longer ones are cut off. Unit: characters. */
const MAX_LENGTH = 200;

/** Maximum number of characters that are escaped: far more than are kept, and few enough to process. */
const MAX_LOOKED_AT = 4000;

/**
 * Escapes an untrusted value for a line of a log. Control characters, line separators and invisible format characters are
 * escaped, so that the value cannot look like a line of its own. Text that looks like a JWT is left out. The rest is cut off
 * at 200 characters.
 *
 * @param secrets - texts that must never appear: the credentials of the request
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

/** Describes a thrown value for a log: name and message of an error, else only the type of the value. @internal */
export function describeThrown(thrown: unknown, secrets: readonly string[] = []): string {
  return thrown instanceof Error
    ? escapeForLog(`${thrown.name}: ${thrown.message}`, secrets)
    : `a value of type ${typeof thrown}`;
}

/** Like {@link describeThrown}, with the stack frames of the error. @internal */
export function describeFault(thrown: unknown, secrets: readonly string[] = []): string {
  const stack = thrown instanceof Error && typeof thrown.stack === 'string' ? thrown.stack : '';
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line));
  return [
    describeThrown(thrown, secrets),
    ...frames.map((frame) => `    ${escapeForLog(frame.trim())}`),
  ].join('\n');
}
