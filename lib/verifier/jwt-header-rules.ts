import { type CompactJWSHeaderParameters } from 'jose';
import { TokenRefusedError } from '../errors/refusal.errors.js';

/**
 * The `typ` values of access tokens. Many authorization servers write `JWT` or nothing, so these pass too;
 * every other value names another kind of token.
 */
const ACCESS_TOKEN_TYPES: readonly string[] = ['at+jwt', 'application/at+jwt', 'jwt', 'application/jwt'];

/**
 * Refuses a JWS whose header says that it is something else than an access token, or that what was signed is
 * not the encoded payload (`b64: false`), so that what was decoded would not be what was verified.
 *
 * @throws {@link TokenRefusedError} `type` or `malformed`
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3.11 | RFC 8725 section 3.11}
 * @internal
 */
export function assertAccessTokenHeader({ typ, cty, b64 }: CompactJWSHeaderParameters): void {
  if (b64 === false) throw new TokenRefusedError('malformed');
  const type: unknown = typ;
  const accepted =
    type === undefined || (typeof type === 'string' && ACCESS_TOKEN_TYPES.includes(type.toLowerCase()));
  // A content type means that the payload is not claims but, for example, another JWT.
  if (!accepted || cty !== undefined) throw new TokenRefusedError('type');
}
