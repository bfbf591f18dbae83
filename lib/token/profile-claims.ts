import type { ResolvedAuthorizationServerOptions } from '../options/trusted-authorization-server.interface.js';

/**
 * The claims that a JWT must have, by profile. The lenient profile adds none to those that `validateClaims` requires of
 * every token.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2 | RFC 9068 section 2.2}
 * @internal
 */
export const PROFILE_CLAIMS: Readonly<
  Record<ResolvedAuthorizationServerOptions['profile'], readonly string[]>
> = {
  lenient: [],
  rfc9068: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
};
