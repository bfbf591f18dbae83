import type { RevocationQuery } from './mcp-auth-options.js';

/** Revokes one token. @publicApi */
export interface RevokedToken {
  readonly issuer: string;
  /** The token's identifier, unique only together with `issuer`. */
  readonly jti: string;
}

/**
 * Revokes all tokens of a principal: of a person (`subject`), of a client (`clientId`), or of a person at one client (both).
 * At least one of them is needed.
 *
 * @publicApi
 */
export interface RevokedPrincipal {
  readonly issuer: string;
  readonly subject?: string | undefined;
  readonly clientId?: string | undefined;
  /**
   * Only tokens issued before this time are revoked, so that a person can sign in again. A token without `iat` counts as issued
   * before. Unit: seconds since the epoch.
   *
   * @defaultValue all tokens, also those that are issued later
   */
  readonly issuedBefore?: number | undefined;
}

/** What is revoked: one token, or all tokens of a principal. @publicApi */
export type Revocation = RevokedToken | RevokedPrincipal;

/**
 * Knows which tokens are revoked, for all replicas of an application. `isRevoked` fits the option of the same name:
 * `isRevoked: list.isRevoked`.
 *
 * `revocationListContract()` of `nestjs-mcp-auth/testing` tests a list against this contract.
 *
 * @publicApi
 */
export interface RevocationList {
  /**
   * Revokes a token or a principal until a time. Once the promise is fulfilled, `isRevoked` of this list returns true for what
   * is revoked. The lists of other replicas learn of it within a time that the implementation states. Nothing undoes it. A
   * second revocation of the same can prolong it, and never shortens it.
   *
   * @param revocation - what is revoked
   * @param until - when the list may forget it: not before the last of the tokens is rejected as expired. That is
   * `clockToleranceSeconds` after its expiry, and as much later as the clock of a replica is behind
   * @throws if it is not certain that the revocation is stored. Call it again then
   */
  revoke(revocation: Revocation, until: Date): Promise<void>;

  /**
   * Returns whether a token is revoked. It may be called without the list as `this`.
   *
   * @throws if the list cannot tell, for example because it has not heard of the other replicas for too long. The request is
   * answered with 503 then
   */
  readonly isRevoked: (token: RevocationQuery) => boolean | Promise<boolean>;

  /**
   * Calls a function with each revocation that the list learns of, whichever replica has revoked: once or more for each.
   *
   * @returns a function that ends this
   */
  onRevoked(listener: (revocation: Revocation) => void): () => void;
}
