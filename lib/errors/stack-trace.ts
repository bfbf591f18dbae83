/**
 * Sets how many stack frames errors capture, and returns how many it was before. If the limit cannot be set, as with frozen
 * intrinsics, it stays.
 *
 * Capturing frames would double the time of a rejection, and no one looks for a rejection in the code. Benchmark rows:
 * "garbage" and "no token", of bare throughput.
 *
 * @internal
 */
export function limitStackTrace(frames: number): number {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', frames);
  return stackTraceLimit;
}
