import { TokenRefusedError } from '../errors/refusal.errors.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { type TokenClaims } from '../verifier/token.verifier.js';
import { namesAudience } from './audience.js';
import { isNotAnAccessToken } from './look-alikes.js';
import { assertTimely } from './time-claims.js';
import { tokenPrincipal } from './token-principal.js';
import { tokenScopes } from './token-scopes.js';

/** A token that is good for a resource, and what it grants. @internal */
export interface AdmittedToken {
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly audience: readonly string[];
  readonly claims: TokenClaims;
}

/** The time that tokens are measured by. @internal */
export interface GateClock {
  readonly nowSeconds: number;
  readonly toleranceSeconds: number;
}

/**
 * Decides whether claims are good for a resource: the issuer is one of its own, the audience names it, the
 * time is right, there is a principal, no proof of possession is owed, and it is an access token.
 *
 * Takes the claims for genuine: the verifier has seen to that. Does not decide about scopes; see
 * {@link scopesToAskFor}.
 *
 * @throws {@link TokenRefusedError} with the reason
 * @internal
 */
export function admit(claims: TokenClaims, resource: KnownResource, clock: GateClock): AdmittedToken {
  const { iss: issuer, aud, cnf } = claims;
  if (typeof issuer !== 'string' || !resource.servers.has(issuer)) throw new TokenRefusedError('issuer');
  if (!namesAudience(aud, resource.options.audiences)) throw new TokenRefusedError('audience');
  const expiresAt = assertTimely(claims, clock.nowSeconds, clock.toleranceSeconds);
  // RFC 7800 section 3.1: without a verified proof the presenter may be anybody. No proof is verified yet.
  if (cnf !== undefined) throw new TokenRefusedError('sender_constrained');
  if (isNotAnAccessToken(claims)) throw new TokenRefusedError('not_an_access_token');
  const audience = [aud].flat().filter((value) => typeof value === 'string');
  return { issuer, ...tokenPrincipal(claims), scopes: tokenScopes(claims), expiresAt, audience, claims };
}
