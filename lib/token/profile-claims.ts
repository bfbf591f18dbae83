import type { ResolvedAuthorizationServerOptions } from '../options/trusted-authorization-server.interface.js';

/**
 * The claims without which a JWT is rejected, by profile. The lenient one wants no more than every token needs, which
 * is the gate's to know.
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
