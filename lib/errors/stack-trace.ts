/**
 * Sets how many frames errors capture, and tells how many it was before. To capture them costs more than everything
 * else that a bad request is answered with, and a refusal is no fault that anybody looks for in the code. Where the
 * limit cannot be set, as with frozen intrinsics, it stays.
 *
 * @internal
 */
export function limitStackTrace(frames: number): number {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', frames);
  return stackTraceLimit;
}
