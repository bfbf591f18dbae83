/**
 * Sets how many stack frames errors capture, and returns the previous number. If the limit cannot be set, as with frozen
 * intrinsics, it does not change.
 *
 * Capturing frames would double the time of a rejection, and the frames of a rejection are not useful. Benchmark rows:
 * "garbage" and "no token", of bare throughput.
 *
 * @internal
 */
export function limitStackTrace(frames: number): number {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', frames);
  return stackTraceLimit;
}
