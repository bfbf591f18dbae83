/**
 * The tokens that a server has issued, and what became of them.
 *
 * @internal
 */
export class TokenLedger {
  private readonly tokens = new Map<string, Readonly<Record<string, unknown>>>();

  enter(token: string, claims: Readonly<Record<string, unknown>>): void {
    this.tokens.set(token, claims);
  }

  /** A token that is not known is no error. */
  revoke(token: string): void {
    this.tokens.delete(token);
  }

  /**
   * What introspection says of a token: only `active: false` for one that is unknown, revoked, expired or not
   * yet good.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.2 | RFC 7662 section 2.2}
   */
  describe(token: string, now: Date): Record<string, unknown> {
    const claims = this.tokens.get(token);
    if (!claims) return { active: false };
    const { exp, nbf } = claims;
    const seconds = now.getTime() / 1000;
    const expired = typeof exp === 'number' && exp <= seconds;
    const early = typeof nbf === 'number' && seconds < nbf;
    return expired || early ? { active: false } : { active: true, token_type: 'Bearer', ...claims };
  }
}
