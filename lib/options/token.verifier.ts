import type { Type } from '@nestjs/common';
import { type ResolvedClaimNames, USUAL_CLAIM_NAMES } from './claim-names.js';
import type { TrustedAuthorizationServer } from './trusted-authorization-server.interface.js';

/**
 * What a token says, whoever said it: the payload of a JWT, or an introspection response. Nothing in it has
 * been decided on.
 *
 * @publicApi
 */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** What a verifier answers for beside the claims. @publicApi */
export interface VerifiedTokenOptions {
  /** Whether a token without `exp` is rejected. @defaultValue false */
  readonly requiresExpiry?: boolean;
  /** Claims without which the token is rejected, by their JWT names. @defaultValue none */
  readonly requiredClaims?: readonly string[];
  /** Which claims give client and scopes. @defaultValue the usual ones, see {@link ClaimNames} */
  readonly claimNames?: ResolvedClaimNames;
  /**
   * How long after its `iat` the token is good at most; one without `iat` is rejected then. Unit: seconds.
   *
   * @defaultValue none
   */
  readonly maxAgeSeconds?: number | undefined;
  /**
   * Whether the verifier has made sure that the token is for this resource, so that claims without `aud` are good.
   * Claims with another `aud` are rejected all the same.
   *
   * @defaultValue false
   */
  readonly audienceVerified?: boolean;
  /**
   * Whether the token stays genuine for as long as it is valid, so that it may be remembered for the time of
   * `tokenCache` in place of being verified with every request. The claims must be plain JSON: requests share them.
   *
   * @defaultValue false
   */
  readonly cacheable?: boolean;
}

/**
 * Claims together with what their verifier answers for. A verifier that returns bare claims answers for nothing
 * beside them.
 *
 * @publicApi
 */
export class VerifiedToken {
  readonly requiresExpiry: boolean;
  readonly requiredClaims: readonly string[];
  readonly claimNames: ResolvedClaimNames;
  readonly maxAgeSeconds: number | undefined;
  readonly audienceVerified: boolean;
  readonly cacheable: boolean;

  constructor(
    readonly claims: TokenClaims,
    options: VerifiedTokenOptions = {},
  ) {
    this.requiresExpiry = options.requiresExpiry ?? false;
    this.requiredClaims = options.requiredClaims ?? [];
    this.claimNames = options.claimNames ?? USUAL_CLAIM_NAMES;
    this.maxAgeSeconds = options.maxAgeSeconds;
    this.audienceVerified = options.audienceVerified ?? false;
    this.cacheable = options.cacheable ?? false;
  }
}

/**
 * What verifiers of the MCP SDK return, and libraries like it. An object is taken for this where it has a `clientId`
 * with a list of `scopes` or a `token`, and none of the claims `iss`, `aud` and `exp`; see
 * {@link claimsFromAuthInfo} for what is read from it.
 *
 * @publicApi
 */
export interface VerifiedAuthInfo {
  readonly token?: string | undefined;
  readonly clientId: string;
  readonly scopes?: readonly string[] | undefined;
  /** Unit: seconds since the epoch. */
  readonly expiresAt?: number | undefined;
  readonly audience?: string | readonly string[] | undefined;
  /** The audience, where `audience` does not say. */
  readonly resource?: string | URL | undefined;
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  /** As of {@link VerifiedTokenOptions}. */
  readonly audienceVerified?: boolean | undefined;
  /** Further claims. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/** What a verifier says of a token; null or undefined for one that is not good. @publicApi */
export type VerificationResult = VerifiedToken | VerifiedAuthInfo | TokenClaims | null | undefined;

/** For what a token is verified. @publicApi */
export interface VerificationContext {
  /** The protected resource, as configured. */
  readonly resource: string;
  /** The authorization servers that this resource trusts, by issuer. */
  readonly authorizationServers: ReadonlyMap<string, TrustedAuthorizationServer>;
  /** Aborted when the verifier takes longer than `verifierTimeoutMs`: nobody waits for its result any more. */
  readonly signal: AbortSignal;
}

/**
 * Turns a token into claims. It is its own injection token: what is injected is the package's own verifier, which serves
 * where the options name none. A test may override it, and a verifier of the application may leave tokens to it.
 *
 * A verifier establishes that the token is genuine and says what is in it. It does not decide: issuer, audience,
 * time, subject, proof of possession and scopes are checked afterwards, whatever the verifier.
 *
 * @publicApi
 */
export abstract class TokenVerifier {
  /**
   * Tells what a token says, if it is genuine.
   *
   * @param token - printable ASCII, `maxTokenLength` characters at most, not otherwise checked
   * @returns the claims by their JWT names (`iss`, `sub`, `client_id`, `aud`, `scope`, `exp`), or null for a token
   * that is not good. `iss` is an issuer of `context.authorizationServers` or of the resource's `privateIssuers`, or is
   * left out where the token is of no authorization server
   * @throws {@link TokenRejectedError} for a token that is not good, with the reason
   * @throws {@link AuthorizationServerUnavailableError} when that cannot be told now
   */
  abstract verify(
    token: string,
    context: VerificationContext,
  ): VerificationResult | Promise<VerificationResult>;
}

/** {@link TokenVerifier.verify} as a function. @publicApi */
export type VerifyToken = (
  token: string,
  context: VerificationContext,
) => VerificationResult | Promise<VerificationResult>;

/** A class that verifies tokens, to be found among the application's providers. @publicApi */
export type TokenVerifierClass = Type<Pick<TokenVerifier, 'verify'>>;

/**
 * A verifier as an option: a class among the providers of any module, in the default scope; an object; or a
 * function. A class is found when the application starts.
 *
 * @publicApi
 */
export type TokenVerifierOption = TokenVerifierClass | Pick<TokenVerifier, 'verify'> | VerifyToken;
