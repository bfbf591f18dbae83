import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { TokenClaims } from '../options/token.verifier.js';
import { type AuthenticationNeed, isAuthenticatedFor } from './user-authentication.js';

/**
 * Checks whether the user of a token has authenticated as strongly and as recently as an operation needs.
 *
 * @internal
 */
@Injectable()
export class AuthenticationPolicy {
  constructor(
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<ResolvedMcpAuthOptions, 'now' | 'clockToleranceSeconds'>,
  ) {}

  /** @param claims - of a validated token, whatever verified it */
  isSatisfied(claims: TokenClaims, need: AuthenticationNeed): boolean {
    const { now, clockToleranceSeconds: toleranceSeconds } = this.options;
    return isAuthenticatedFor(claims, need, { nowSeconds: now().getTime() / 1000, toleranceSeconds });
  }
}
