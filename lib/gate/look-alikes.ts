import { type TokenClaims } from '../verifier/token.verifier.js';

/** Claims that other kinds of signed tokens have and access tokens do not. */
const FOREIGN_CLAIMS: readonly string[] = [
  ...['nonce', 'at_hash', 'c_hash', 's_hash'], // ID token (OpenID Connect Core)
  'events', // security event and logout token (RFC 8417)
  ...['htm', 'htu'], // DPoP proof (RFC 9449)
];

/**
 * Tells whether claims belong to another kind of token, such as an ID token: signed by the same keys, and not
 * meant to open anything.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3.12 | RFC 8725 section 3.12}
 * @internal
 */
export function isNotAnAccessToken(claims: TokenClaims): boolean {
  return (
    FOREIGN_CLAIMS.some((claim) => Object.hasOwn(claims, claim)) ||
    claims['token_use'] === 'id' || // Amazon Cognito
    ['ID', 'Refresh', 'Offline', 'Logout'].includes(claims['typ'] as string) // Keycloak
  );
}
