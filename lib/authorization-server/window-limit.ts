/**
 * Limits how often something happens in each window of time.
 *
 * @internal
 */
export class WindowLimit {
  private windowEndsAt = -Infinity;
  private left = 0;

  /**
   * @param limit - how often it may happen in one window
   * @param windowSeconds - the length of a window
   * @param seconds - a clock that never goes back
   */
  constructor(
    private readonly limit: number,
    private readonly windowSeconds: number,
    private readonly seconds: () => number,
  ) {}

  /** Returns whether it may happen now, and counts it if so. */
  take(): boolean {
    const now = this.seconds();
    if (now >= this.windowEndsAt) {
      this.windowEndsAt = now + this.windowSeconds;
      this.left = this.limit;
    }
    if (this.left === 0) return false;
    this.left -= 1;
    return true;
  }
}
