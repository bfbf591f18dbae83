/**
 * Seconds that only ever go on, measured by a clock that may not.
 *
 * Each step that the clock goes forward counts; a step back counts for nothing, and neither does a time that is no
 * number. So a clock that is set back by a year does not make what is kept good for a year, nor a pause a year long.
 *
 * @param now - the clock
 * @returns the seconds that went by since the first call
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
