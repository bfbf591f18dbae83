/**
 * Makes a monotonic clock in seconds from a clock that may be set back.
 *
 * Only forward steps count. Steps back and invalid dates are ignored. So if the clock is set back by a year, a cached value
 * does not stay valid for a year, and a pause does not last a year.
 *
 * @param now - the clock
 * @returns a function for the seconds since its first call
 * @internal
 */
export function steadySeconds(now: () => Date): () => number {
  let last = NaN;
  let elapsed = 0;
  return () => {
    const time = now().getTime() / 1000;
    if (time > last) elapsed += time - last;
    if (!Number.isNaN(time)) last = time;
    return elapsed;
  };
}
