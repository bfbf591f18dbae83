/**
 * The tokens that a server has issued and not revoked, with their claims.
 *
 * @internal
 */
export class TokenLedger {
  private readonly tokens = new Map<string, Readonly<Record<string, unknown>>>();

  enter(token: string, claims: Readonly<Record<string, unknown>>): void {
    this.tokens.set(token, claims);
  }

  /** Revokes a token. An unknown token is not an error. */
  revoke(token: string): void {
    this.tokens.delete(token);
  }

  /**
   * Returns the introspection response for a token: only `active: false` if the token is unknown, revoked, expired
   * or not yet valid. Its `token_type` is `DPoP` if the token is bound to a key by `cnf.jkt`.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.2 | RFC 7662 section 2.2}
   * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-6.2 | RFC 9449 section 6.2}
   */
  describe(token: string, now: Date): Record<string, unknown> {
    const claims = this.tokens.get(token);
    if (!claims) return { active: false };
    const { exp, nbf } = claims;
    const seconds = now.getTime() / 1000;
    const expired = typeof exp === 'number' && exp <= seconds;
    const early = typeof nbf === 'number' && seconds < nbf;
    return expired || early ? { active: false } : { active: true, token_type: tokenType(claims), ...claims };
  }
}

function tokenType({ cnf }: Readonly<Record<string, unknown>>): string {
  return typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? 'DPoP' : 'Bearer';
}
