import { TokenRejectedError } from '../errors/rejection.errors.js';
import { VERIFIER_ISSUERS } from '../mcp-auth.constants.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { serverOf } from '../resource/server-of.js';
import type { TokenClaims, VerifiedToken } from '../options/token.verifier.js';
import { namesAudience } from './audience.js';
import { type Confirmation, confirmationOf } from './confirmation.js';
import { assertRequiredClaims } from './required-claims.js';
import { isNotAnAccessToken } from './token-type-confusion.js';
import { assertTimely, type ValidationClock } from './time-claims.js';
import { tokenPrincipal } from './token-principal.js';
import { tokenScopes } from './token-scopes.js';

/** A token that is valid for a resource, and its properties. @internal */
export interface ValidatedToken {
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch; undefined if the token does not expire. */
  readonly expiresAt: number | undefined;
  readonly audience: readonly string[];
  readonly claims: TokenClaims;
  /** What its sender must prove to have; undefined for a bearer token. Not proved yet. */
  readonly confirmation: Confirmation | undefined;
}

/**
 * Validates claims for a resource: issuer, audience, time, required claims and principal.
 *
 * It also rejects tokens that are bound in a way that the resource does not verify, and tokens that are not access tokens. The
 * verifier must have authenticated the claims. Scopes are not checked: see {@link satisfies}. Whether the sender has what a
 * token is bound to is not checked either.
 *
 * @throws {@link TokenRejectedError} with the reason
 * @internal
 */
export function validateClaims(
  verified: VerifiedToken,
  resource: ProtectedResource,
  clock: ValidationClock,
): ValidatedToken {
  const { claims, claimNames } = verified;
  const issuer = issuerOf(claims, resource);
  assertAudience(verified, resource);
  const expiresAt = assertTimely(claims, clock, verified);
  assertComplete(verified, resource, issuer);
  const confirmation = confirmationOf(claims, resource.options);
  assertAccessToken(claims);
  const audience = [claims['aud']].flat().filter((value) => typeof value === 'string');
  const scopes = tokenScopes(claims, claimNames.scopes);
  const { subject, clientId } = tokenPrincipal(claims, claimNames.clientId);
  return { issuer, subject, clientId, scopes, expiresAt, audience, claims, confirmation };
}

/** Rejects a token that lacks a claim that its verifier or its server requires. @internal */
export function assertComplete(
  { claims, requiredClaims }: VerifiedToken,
  resource: ProtectedResource,
  issuer: string,
): void {
  assertRequiredClaims(claims, requiredClaims);
  assertRequiredClaims(claims, serverOf(resource, issuer)?.options.requiredClaims);
}

/** Rejects a token of another kind, such as an ID token. @internal */
export function assertAccessToken(claims: TokenClaims): void {
  if (isNotAnAccessToken(claims)) throw new TokenRejectedError('not_an_access_token');
}

/**
 * Returns the issuer, which must be one of the resource's. Only a verifier of the application names a private one, or none:
 * the package's own names its server. Claims without `iss` get a separate issuer: their subjects are of no server.
 *
 * @internal
 */
export function issuerOf({ iss }: TokenClaims, resource: ProtectedResource): string {
  const { resource: identifier, privateIssuers } = resource.options;
  if (iss === undefined) return `${VERIFIER_ISSUERS}${identifier}`;
  if (typeof iss !== 'string' || !(serverOf(resource, iss) || privateIssuers.includes(iss)))
    throw new TokenRejectedError('issuer');
  return iss;
}

/** Rejects a token for another audience. @internal */
export function assertAudience(
  { claims, audienceVerified }: VerifiedToken,
  { options }: ProtectedResource,
): void {
  const { aud } = claims;
  if (aud === undefined && audienceVerified) return;
  const isAmbiguous = options.rejectMultipleAudiences && Array.isArray(aud) && aud.length > 1;
  if (isAmbiguous || !namesAudience(aud, options.audiences, options.audienceMatch))
    throw new TokenRejectedError('audience');
}
