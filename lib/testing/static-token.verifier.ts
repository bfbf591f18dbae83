import { Logger } from '@nestjs/common';
import { McpAuthConfigError } from '../errors/config.error.js';
import { type TokenClaims, TokenVerifier, type VerifiedAuthInfo } from '../options/token.verifier.js';
import { environmentProblem } from './test-environment.js';

/** Options of {@link StaticTokenVerifier}. @publicApi */
export interface StaticTokenVerifierOptions {
  /**
   * Whether to allow any `NODE_ENV`. If false, only `test` and `development` are allowed.
   *
   * @defaultValue false
   */
  readonly allowAnyEnvironment?: boolean;
}

/**
 * Verifies a fixed set of tokens, for development without an authorization server. A request with one of them gets
 * its claims. Claims are validated as usual, so they need an `aud` (or `audience`) that names the resource.
 *
 * @example
 * ```ts
 * verifier: new StaticTokenVerifier({ 'dev-token': { sub: 'me', aud: RESOURCE, scope: 'notes:read' } })
 * ```
 *
 * @publicApi
 */
export class StaticTokenVerifier extends TokenVerifier {
  private readonly tokens: ReadonlyMap<string, TokenClaims | VerifiedAuthInfo>;

  /**
   * @param tokens - the claims of each token, by the token
   * @param options - see {@link StaticTokenVerifierOptions}
   * @throws `McpAuthConfigError` if `NODE_ENV` is neither `test` nor `development`, unless `allowAnyEnvironment` is true
   */
  constructor(
    tokens: Readonly<Record<string, TokenClaims | VerifiedAuthInfo>>,
    { allowAnyEnvironment = false }: StaticTokenVerifierOptions = {},
  ) {
    super();
    const problem = allowAnyEnvironment ? undefined : environmentProblem('allowAnyEnvironment');
    if (problem !== undefined) {
      const message = `accepts tokens that never change, so it ${problem}`;
      throw new McpAuthConfigError([{ path: 'StaticTokenVerifier', message }]);
    }
    this.tokens = new Map(Object.entries(tokens));
    new Logger('McpAuth').warn(
      `StaticTokenVerifier is in use: ${this.tokens.size} fixed tokens are accepted. NOT FOR PRODUCTION`,
    );
  }

  /** @returns null for a token that is not among those given */
  verify(token: string): TokenClaims | VerifiedAuthInfo | null {
    const claims = this.tokens.get(token);
    // A copy, because the claims of an authenticated request are frozen.
    return claims === undefined ? null : { ...claims };
  }
}
