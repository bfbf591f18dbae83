import { TokenRejectedError } from '../errors/rejection.errors.js';
import { VERIFIER_ISSUERS } from '../mcp-auth.constants.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { TokenClaims, VerifiedToken } from '../options/token.verifier.js';
import { namesAudience } from './audience.js';
import { assertRequiredClaims } from './required-claims.js';
import { isNotAnAccessToken } from './token-type-confusion.js';
import { assertTimely, type ValidationClock } from './time-claims.js';
import { tokenPrincipal } from './token-principal.js';
import { tokenScopes } from './token-scopes.js';

/** A token that is good for a resource, and what it grants. @internal */
export interface ValidatedToken {
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch; undefined for a token that does not say. */
  readonly expiresAt: number | undefined;
  readonly audience: readonly string[];
  readonly claims: TokenClaims;
}

/**
 * Decides whether claims are good for a resource: the issuer is one of its own, the audience names it, the
 * time is right, no claim is missing, there is a principal, no proof of possession is owed, and it is an access token.
 *
 * Takes the claims for genuine: the verifier has seen to that. Does not decide about scopes; see
 * {@link missingScopes}.
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
  assertRequiredClaims(claims, verified.requiredClaims);
  assertRequiredClaims(claims, resource.servers.get(issuer)?.options.requiredClaims);
  // RFC 7800 section 3.1: without a verified proof the presenter may be anybody. No proof is verified yet.
  if (claims['cnf'] !== undefined) throw new TokenRejectedError('sender_constrained');
  if (isNotAnAccessToken(claims)) throw new TokenRejectedError('not_an_access_token');
  const audience = [claims['aud']].flat().filter((value) => typeof value === 'string');
  const scopes = tokenScopes(claims, claimNames.scopes);
  const { subject, clientId } = tokenPrincipal(claims, claimNames.clientId);
  return { issuer, subject, clientId, scopes, expiresAt, audience, claims };
}

/**
 * The issuer, which must be one of the resource's. Only a verifier of the application names a private one, or none: the
 * package's own gives the server that it asked. Claims that name none are of no server, whose subjects are other people.
 */
function issuerOf({ iss }: TokenClaims, { servers, options }: ProtectedResource): string {
  if (iss === undefined) return `${VERIFIER_ISSUERS}${options.resource}`;
  if (typeof iss !== 'string' || !(servers.has(iss) || options.privateIssuers.includes(iss)))
    throw new TokenRejectedError('issuer');
  return iss;
}

function assertAudience({ claims, audienceVerified }: VerifiedToken, { options }: ProtectedResource): void {
  const { aud } = claims;
  if (aud === undefined && audienceVerified) return;
  const isAmbiguous = options.rejectMultipleAudiences && Array.isArray(aud) && aud.length > 1;
  if (isAmbiguous || !namesAudience(aud, options.audiences, options.audienceMatch))
    throw new TokenRejectedError('audience');
}
