import type { Type } from '@nestjs/common';
import { type ResolvedClaimNames, USUAL_CLAIM_NAMES } from './claim-names.js';
import type { TrustedAuthorizationServer } from './trusted-authorization-server.interface.js';

/**
 * The claims of a token: the payload of a JWT, or an introspection response. None of them has been checked.
 *
 * @publicApi
 */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** What a verifier guarantees or requires in addition to the claims. @publicApi */
export interface VerifiedTokenOptions {
  /** Whether a token without `exp` is rejected. @defaultValue false */
  readonly requiresExpiry?: boolean;
  /** Claims that the token must have, by their JWT names. @defaultValue none */
  readonly requiredClaims?: readonly string[];
  /** Which claims name client and scopes. @defaultValue the usual ones, see {@link ClaimNames} */
  readonly claimNames?: ResolvedClaimNames;
  /**
   * The maximum age of the token after its `iat`. A token without `iat` is then rejected. Unit: seconds.
   *
   * @defaultValue none
   */
  readonly maxAgeSeconds?: number | undefined;
  /**
   * Whether the verifier has checked that the token is for this resource, so claims without `aud` are accepted. Claims with
   * another `aud` are still rejected.
   *
   * @defaultValue false
   */
  readonly audienceVerified?: boolean;
  /**
   * Whether the token stays genuine while it is valid. It is then cached for the time of `tokenCache`, and not verified with
   * every request. The claims must be plain JSON: requests share them.
   *
   * @defaultValue false
   */
  readonly cacheable?: boolean;
}

/**
 * Claims together with what their verifier guarantees. A verifier that returns bare claims guarantees nothing else.
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
 * The result of verifiers of the MCP SDK and similar libraries. An object is treated as this type if it has a `clientId` with
 * a list of `scopes` or a `token`, and none of the claims `iss`, `aud` and `exp`. {@link claimsFromAuthInfo} documents what is
 * read from it.
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
  /** The audience, if `audience` is missing. */
  readonly resource?: string | URL | undefined;
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  /** As in {@link VerifiedTokenOptions}. */
  readonly audienceVerified?: boolean | undefined;
  /** Further claims. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/** The result of a verifier; null or undefined for an invalid token. @publicApi */
export type VerificationResult = VerifiedToken | VerifiedAuthInfo | TokenClaims | null | undefined;

/** The context of a verification: the resource and its authorization servers. @publicApi */
export interface VerificationContext {
  /** The protected resource, as configured. */
  readonly resource: string;
  /** The authorization servers that this resource trusts, by issuer. */
  readonly authorizationServers: ReadonlyMap<string, TrustedAuthorizationServer>;
  /**
   * Returns the server of an issuer that is not in the map, if the resource has the option `authorizationServerResolver` and that
   * knows the issuer. Undefined without the option. A verifier that hands the token to the package's own verifier passes it on.
   *
   * @throws {@link AuthorizationServerUnavailableError} if the resolver cannot tell now
   */
  readonly findAuthorizationServer?:
    | ((
        issuer: string,
      ) => TrustedAuthorizationServer | undefined | Promise<TrustedAuthorizationServer | undefined>)
    | undefined;
  /** Aborted if the verifier takes longer than `verifierTimeoutMs`: its result is then ignored. */
  readonly signal: AbortSignal;
}

/**
 * Turns a token into claims. The class is also an injection token. It injects the package's own verifier, which is used if the
 * options name none. A test may override it, and a verifier of the application may delegate tokens to it.
 *
 * A verifier checks that the token is genuine and returns its claims. It does not authorize: issuer, audience, time, subject,
 * proof of possession and scopes are checked afterwards, whatever the verifier.
 *
 * @publicApi
 */
export abstract class TokenVerifier {
  /**
   * Returns the claims of a token, if it is genuine.
   *
   * @param token - printable ASCII, `maxTokenLength` characters at most, not otherwise checked
   * @returns the claims by their JWT names (`iss`, `sub`, `client_id`, `aud`, `scope`, `exp`), or null for an invalid token.
   * `iss` is an issuer of `context.authorizationServers`, of the resource's `privateIssuers`, or one that its
   * `authorizationServerResolver` knows. It is left out if the token belongs to no authorization server
   * @throws {@link TokenRejectedError} for an invalid token, with the reason
   * @throws {@link AuthorizationServerUnavailableError} if the token cannot be verified now
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

/** A class that verifies tokens, a provider of the application. @publicApi */
export type TokenVerifierClass = Type<Pick<TokenVerifier, 'verify'>>;

/**
 * A verifier as an option: a class among the providers of any module, in the default scope; an object; or a function. A class
 * is looked up when the application starts.
 *
 * @publicApi
 */
export type TokenVerifierOption = TokenVerifierClass | Pick<TokenVerifier, 'verify'> | VerifyToken;
