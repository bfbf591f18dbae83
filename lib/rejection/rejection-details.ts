import { escapeForLog } from '../events/escape-for-log.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** A token may name more; of each list only so many show. */
const MAX_AUDIENCES = 5;

/**
 * The audiences that a resource accepts, and those that a token has, for the debug log. The `aud` of a verified token is
 * the only claim that reaches a log: it is escaped, and cut in length and number.
 *
 * @param claims - undefined where no verifier vouches for them: then only what was expected
 * @param secrets - see {@link escapeForLog}
 * @internal
 */
export function describeAudiences(
  {
    audiences,
    rejectMultipleAudiences,
  }: Pick<ResolvedProtectedResourceOptions, 'audiences' | 'rejectMultipleAudiences'>,
  claims: TokenClaims | undefined,
  secrets: readonly string[],
): string {
  const expected = `; expected ${quoted(audiences, secrets)}${rejectMultipleAudiences ? ' alone' : ''}`;
  if (!claims) return expected;
  const { aud } = claims;
  return `${expected}, the token has ${aud === undefined ? 'no "aud"' : quoted([aud].flat(), secrets)}`;
}

/**
 * What may help when a token is no JWT: empty if the resource introspects opaque tokens, or has a verifier of its own.
 *
 * @internal
 */
export function opaqueTokenAdvice({
  verifier,
  authorizationServers,
}: Pick<ResolvedProtectedResourceOptions, 'verifier' | 'authorizationServers'>): string {
  const isAsked = authorizationServers.some(({ introspection }) => introspection !== undefined);
  return isAsked || verifier !== undefined
    ? ''
    : '; if the token is opaque, configure "introspection" for its authorization server';
}

function quoted(values: readonly unknown[], secrets: readonly string[]): string {
  const shown = values.slice(0, MAX_AUDIENCES).map((value) => quote(value, secrets));
  const more = values.length - shown.length;
  return [...shown, ...(more > 0 ? [`${String(more)} more`] : [])].join(', ') || 'an empty list';
}

function quote(value: unknown, secrets: readonly string[]): string {
  return typeof value === 'string'
    ? `"${escapeForLog(value.replace(/["\\]/g, '\\$&'), secrets)}"`
    : `a value of type ${typeof value}`;
}
