/**
 * The JWS algorithms accepted if none are configured: every asymmetric signature that jose knows and that authorization
 * servers use. No symmetric one and never `none`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3.1 | RFC 8725 section 3.1}
 * @internal
 */
export const SIGNATURE_ALGORITHMS: readonly string[] = Object.freeze([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]);
