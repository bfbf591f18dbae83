import type { ConfigProblem } from '../errors/config.error.js';
import { isAcrValue, isListOf, isPlainObject, isWholeNumber, type Problem } from '../options/value-rules.js';
import type { AuthenticationNeed } from '../policy/user-authentication.js';

/**
 * How the user must have authenticated at the authorization server, by the claims of the access token. At least one member is
 * needed.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470 | RFC 9470}
 * @publicApi
 */
export interface AuthenticationRequirement {
  /**
   * Authentication context classes, in preference order. The token's claim `acr` must be exactly one of them. The values have
   * no order of strength, so list every class that is strong enough.
   *
   * @defaultValue any
   */
  readonly acr?: string | readonly [string, ...string[]] | undefined;
  /**
   * How long ago the user may have authenticated, by the token's claim `auth_time`. A token without that claim counts as too
   * old. The option `clockToleranceSeconds` applies.
   *
   * Unit: seconds. Range: 0 to 315,360,000 (ten years).
   *
   * @defaultValue any age
   */
  readonly maxAgeSeconds?: number | undefined;
}

/** Ten years. */
const MAX_AGE_SECONDS = 315_360_000;

const MEMBERS: readonly string[] = ['acr', 'maxAgeSeconds'];

const isAge = isWholeNumber(0, MAX_AGE_SECONDS, 'seconds');
const isAcr: Problem = (value) =>
  typeof value === 'string' ? isAcrValue(value) : isListOf(isAcrValue, { nonEmpty: true })(value);

/** Returns the problems of a requirement, which may be written in plain JavaScript. @internal */
export function authenticationProblems(path: string, given: unknown): readonly ConfigProblem[] {
  const problem = isPlainObject(given);
  if (problem !== undefined) return [{ path, message: problem }];
  const { acr, maxAgeSeconds } = given as AuthenticationRequirement;
  if (acr === undefined && maxAgeSeconds === undefined)
    return [{ path, message: 'must have "acr", "maxAgeSeconds" or both' }];
  const unknown = Object.keys(given as object).filter((name) => !MEMBERS.includes(name));
  const found: [string, string | undefined][] = [
    ['acr', acr === undefined ? undefined : isAcr(acr)],
    ['maxAgeSeconds', maxAgeSeconds === undefined ? undefined : isAge(maxAgeSeconds)],
    ...unknown.map((name): [string, string] => [name, 'is no member; write "acr" or "maxAgeSeconds"']),
  ];
  return found.flatMap(([name, message]) =>
    message === undefined ? [] : [{ path: `${path}.${name}`, message }],
  );
}

/** @param requirement - without problems @internal */
export function needOf({ acr, maxAgeSeconds }: AuthenticationRequirement): AuthenticationNeed {
  const values = acr === undefined ? [] : [Object.freeze([...new Set([acr].flat())])];
  return Object.freeze({ acr: Object.freeze(values), maxAgeSeconds });
}
