import type { TokenClaims } from '../options/token.verifier.js';

/** Claims that other kinds of signed tokens have and access tokens do not. */
const FOREIGN_CLAIMS: readonly string[] = [
  ...['nonce', 'at_hash', 'c_hash', 's_hash'], // ID token (OpenID Connect Core)
  'events', // security event and logout token (RFC 8417)
  ...['htm', 'htu'], // DPoP proof (RFC 9449)
];

/** The `typ` values of Keycloak for tokens that are not access tokens. */
const FOREIGN_TYPES: ReadonlySet<unknown> = new Set(['ID', 'Refresh', 'Offline', 'Logout']);

/**
 * Returns whether claims belong to another kind of token, such as an ID token. It is signed with the same keys, but does
 * not grant access.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3.12 | RFC 8725 section 3.12}
 * @internal
 */
export function isNotAnAccessToken(claims: TokenClaims): boolean {
  for (const claim of FOREIGN_CLAIMS) if (Object.hasOwn(claims, claim)) return true;
  const isIdOfCognito = claims['token_use'] === 'id';
  return isIdOfCognito || FOREIGN_TYPES.has(claims['typ']);
}
