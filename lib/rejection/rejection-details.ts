import { escapeForLog } from '../events/escape-for-log.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** Most audiences of each list that are logged. A token may name more. */
const MAX_AUDIENCES = 5;

/**
 * Describes the audiences that a resource accepts, and those of a token, for the debug log. The `aud` of a verified token
 * is the only claim that is logged. It is escaped, and limited in length and number.
 *
 * @param claims - undefined if no verifier has verified them: then only the accepted audiences are described
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
 * Returns advice for a token that is not a JWT. Empty if the resource introspects opaque tokens or has its own verifier.
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
