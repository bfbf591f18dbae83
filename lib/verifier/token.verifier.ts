import { type KnownAuthorizationServer } from '../discovery/authorization-server.registry.js';

/**
 * What a token says, whoever said it: the payload of a JWT, or an introspection response. Nothing in it has
 * been decided on.
 *
 * @publicApi
 */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** For what a token is verified. @publicApi */
export interface VerificationContext {
  /** The protected resource, as configured. */
  readonly resource: string;
  /** The authorization servers that this resource trusts, by issuer. */
  readonly authorizationServers: ReadonlyMap<string, KnownAuthorizationServer>;
}

/**
 * Turns a token into claims. It is its own injection token, so an application may provide another.
 *
 * A verifier establishes that the token is genuine and says what is in it. It does not decide: issuer, audience,
 * time, subject, proof of possession and scopes are checked afterwards, whatever the verifier.
 *
 * @publicApi
 */
export abstract class TokenVerifier {
  /**
   * @param token - printable ASCII, 8192 characters at most, not otherwise checked
   * @returns the claims, or null for a token that is not good
   * @throws {@link TokenRefusedError} for a token that is not good, with the reason
   * @throws {@link AuthorizationServerUnavailableError} when that cannot be told now
   */
  abstract verify(
    token: string,
    context: VerificationContext,
  ): TokenClaims | null | Promise<TokenClaims | null>;
}
