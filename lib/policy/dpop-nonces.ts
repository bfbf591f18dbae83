import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a nonce is good for, so that no other value of the same secret is one. */
const PURPOSE = 'nestjs-mcp-auth DPoP nonce';

/**
 * Makes and checks the nonces of a resource without storing them: a nonce is the time at which it was made, and a MAC of it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-8 | RFC 9449 section 8}
 * @internal
 */
export class DpopNonces {
  /**
   * @param resource - the resource identifier
   * @param secrets - the current secret first
   * @param lifetimeSeconds - how long a nonce is valid
   */
  constructor(
    private readonly resource: string,
    private readonly secrets: readonly [string, ...string[]],
    private readonly lifetimeSeconds: number,
  ) {}

  /** Returns a new nonce. */
  make(nowSeconds: number): string {
    const time = Math.floor(nowSeconds).toString(36);
    return `${time}.${this.mac(time, this.secrets[0])}`;
  }

  /** @param toleranceSeconds - how far the clock of the replica that made it may be ahead */
  isValid(nonce: string, nowSeconds: number, toleranceSeconds: number): boolean {
    const [, time, mac] = /^([\da-z]{1,9})\.([\w-]{43})$/.exec(nonce) ?? [];
    if (time === undefined || mac === undefined) return false;
    const age = nowSeconds - Number.parseInt(time, 36);
    const isOwn = this.secrets.some((secret) => isSame(this.mac(time, secret), mac));
    return isOwn && age >= -toleranceSeconds && age <= this.lifetimeSeconds;
  }

  private mac(time: string, secret: string): string {
    return createHmac('sha256', secret).update([PURPOSE, this.resource, time].join('\n')).digest('base64url');
  }
}

/** Compares two texts of the same length in constant time. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
