import { performance } from 'node:perf_hooks';

/** Microseconds per call, one after another. */
export async function microsEach(call, tokens) {
  const begin = performance.now();
  for (const token of tokens) await call(token);
  return ((performance.now() - begin) * 1000) / tokens.length;
}

/** Microseconds per call with so many calls in flight. */
export async function microsInFlight(call, tokens, inFlight) {
  let next = 0;
  const lane = async () => {
    while (next < tokens.length) await call(tokens[next++]);
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return ((performance.now() - begin) * 1000) / tokens.length;
}
