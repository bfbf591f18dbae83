import { type TrustedAuthorizationServer } from '../discovery/authorization-server.js';

/**
 * What a token says, whoever said it: the payload of a JWT, or an introspection response. Nothing in it has
 * been decided on.
 *
 * @publicApi
 */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** What a verifier answers for beside the claims. @publicApi */
export interface VerifiedTokenOptions {
  /** Whether a token without `exp` is refused. @defaultValue false */
  readonly requiresExpiry?: boolean;
  /**
   * Whether the verifier has made sure that the token is for this resource, so that claims without `aud` are good.
   * Claims with another `aud` are refused all the same.
   *
   * @defaultValue false
   */
  readonly audienceVerified?: boolean;
}

/**
 * Claims together with what their verifier answers for. A verifier that returns bare claims answers for nothing
 * beside them.
 *
 * @publicApi
 */
export class VerifiedToken {
  readonly requiresExpiry: boolean;
  readonly audienceVerified: boolean;

  constructor(
    readonly claims: TokenClaims,
    { requiresExpiry = false, audienceVerified = false }: VerifiedTokenOptions = {},
  ) {
    this.requiresExpiry = requiresExpiry;
    this.audienceVerified = audienceVerified;
  }
}

/** What a verifier says of a token; null or undefined for one that is not good. @publicApi */
export type VerificationResult = VerifiedToken | TokenClaims | null | undefined;

/** For what a token is verified. @publicApi */
export interface VerificationContext {
  /** The protected resource, as configured. */
  readonly resource: string;
  /** The authorization servers that this resource trusts, by issuer. */
  readonly authorizationServers: ReadonlyMap<string, TrustedAuthorizationServer>;
  /** Aborted when the verifier takes too long: nobody waits for its result any more. */
  readonly signal: AbortSignal;
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
   * @returns the claims by their JWT names (`iss`, `sub`, `client_id`, `aud`, `scope`, `exp`), or null for a token
   * that is not good
   * @throws {@link TokenRefusedError} for a token that is not good, with the reason
   * @throws {@link AuthorizationServerUnavailableError} when that cannot be told now
   */
  abstract verify(
    token: string,
    context: VerificationContext,
  ): VerificationResult | Promise<VerificationResult>;
}
