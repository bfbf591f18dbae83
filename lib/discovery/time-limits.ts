/** Limits in time for work that heeds a signal, all of which can be ended together. @internal */
export class TimeLimits {
  private readonly running = new Set<AbortController>();

  /**
   * Runs work whose signal is aborted after a time, or when all is ended.
   *
   * @param keepsAlive - whether the limit keeps the process alive, so that work that hangs ends with its error.
   * Otherwise the process may end before the limit, and nothing is said
   */
  async run<T>(
    milliseconds: number,
    work: (signal: AbortSignal) => Promise<T>,
    { keepsAlive = false } = {},
  ): Promise<T> {
    const limit = new AbortController();
    const timer = setTimeout(() => {
      limit.abort(new Error('The time limit is over'));
    }, milliseconds);
    if (!keepsAlive) timer.unref();
    this.running.add(limit);
    try {
      return await work(limit.signal);
    } finally {
      clearTimeout(timer);
      this.running.delete(limit);
    }
  }

  /** Aborts all that runs now. */
  end(): void {
    for (const limit of this.running) limit.abort(new Error('The application has ended'));
  }
}
