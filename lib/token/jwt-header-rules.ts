import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { ResolvedAuthorizationServerOptions } from '../options/trusted-authorization-server.interface.js';

type Profile = ResolvedAuthorizationServerOptions['profile'];

/**
 * The `typ` values of access tokens. Many authorization servers write `JWT` or nothing, so these are valid too, except
 * with the profile of RFC 9068. Every other value names another kind of token.
 */
const ACCESS_TOKEN_TYPES: Readonly<Record<Profile, readonly unknown[]>> = {
  lenient: ['at+jwt', 'application/at+jwt', 'jwt', 'application/jwt', undefined],
  rfc9068: ['at+jwt', 'application/at+jwt'],
};

/**
 * Rejects a JWS whose header says that it is not an access token, or that it needs an extension.
 *
 * Extensions (`crit`) are not supported: an access token needs none. An unencoded payload (`b64: false`) is rejected,
 * because the decoded payload would not be the verified one.
 *
 * @param header - the protected header
 * @param profile - whether a header without `typ`, or with the type `JWT`, is valid
 * @throws {@link TokenRejectedError} `type` or `malformed`
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3.11 | RFC 8725 section 3.11}
 * @internal
 */
export function assertAccessTokenHeader(
  { typ: type, cty, b64, crit }: Readonly<Record<string, unknown>>,
  profile: Profile,
): void {
  if (crit !== undefined || b64 === false) throw new TokenRejectedError('malformed');
  const accepted = ACCESS_TOKEN_TYPES[profile].includes(typeof type === 'string' ? type.toLowerCase() : type);
  // A content type means that the payload is not a claims set but, for example, another JWT.
  if (!accepted || cty !== undefined) throw new TokenRejectedError('type');
}
