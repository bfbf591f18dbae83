import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { MAX_REPLAY_TTL_MS } from '../options/replay-store.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { withRejectedClaims } from '../policy/rejected-claims.js';
import { issuerOf, type ValidatedToken } from '../policy/validate-claims.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { serverOf } from '../resource/server-of.js';
import { REPLICA_MARGIN_SECONDS, ReplayProtection } from './replay-protection.js';

/** Where a request keeps which tokens it has used. @internal */
export interface UsedTokens {
  used: Set<string> | undefined;
}

/**
 * Accepts each token of an authorization server with `oneTimeTokens` for one request only.
 *
 * @internal
 */
@Injectable()
export class OneTimeTokens {
  constructor(
    private readonly protection: ReplayProtection,
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<ResolvedMcpAuthOptions, 'now' | 'clockToleranceSeconds'>,
  ) {}

  /**
   * Uses a token, if it may be used only once. This is the last check: a request that fails another one must not use up its
   * token.
   *
   * @param request - the request that uses it; undefined if that is unknown, so that each call is a use
   * @returns a promise only if the token may be used only once
   * @throws {@link TokenRejectedError} `replayed` if another request has used it, `missing_claim` for a token without `jti`,
   * `time_claims` for one without an expiry, or with one too far away
   * @throws {@link AuthorizationServerUnavailableError} if that is unknown now
   */
  use(
    token: ValidatedToken,
    resource: ProtectedResource,
    request: UsedTokens | undefined,
  ): Promise<void> | undefined {
    const server = serverOf(resource, token.issuer);
    if (!server) assertNotForgotten(token, resource);
    if (!server?.options.oneTimeTokens) return undefined;
    return this.reserve(token, server.options.oneTimeTokens.replayStore, request);
  }

  private async reserve(
    token: ValidatedToken,
    store: Parameters<ReplayProtection['reserve']>[0],
    request: UsedTokens | undefined,
  ): Promise<void> {
    try {
      const key = keyOf(token);
      if (request?.used?.has(key)) return;
      await this.protection.reserve(store, key, this.leftMs(token), token);
      if (request) (request.used ??= new Set()).add(key);
    } catch (error) {
      throw withRejectedClaims(error as Error, token.claims);
    }
  }

  /** Returns how long a token must be remembered. */
  private leftMs({ expiresAt }: ValidatedToken): number {
    const { now, clockToleranceSeconds } = this.options;
    const endsAt = (expiresAt ?? Infinity) + clockToleranceSeconds + REPLICA_MARGIN_SECONDS;
    const leftMs = endsAt * 1000 - now().getTime();
    if (leftMs > MAX_REPLAY_TTL_MS) throw new TokenRejectedError('time_claims');
    return leftMs;
  }
}

/**
 * Rejects a token of a server that was resolved, and was evicted or withdrawn since: it is not known then whether its tokens may
 * be used once only.
 */
function assertNotForgotten({ claims }: ValidatedToken, resource: ProtectedResource): void {
  if (resource.resolvedServers) issuerOf(claims, resource);
}

/** Returns the key of a token: a hash, so that the store learns neither issuer nor `jti`. */
function keyOf({ issuer, claims: { jti } }: ValidatedToken): string {
  if (typeof jti !== 'string' || jti === '') throw new TokenRejectedError('missing_claim');
  return `jti.${hash('sha256', JSON.stringify([issuer, jti]), 'base64url')}`;
}
