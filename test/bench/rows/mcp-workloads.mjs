import { garbage, sign, signMany } from '../support/tokens.mjs';
import { CALLER_SCOPES, toolCall } from '../support/tool-call.mjs';

const OF_CALLER = { scope: CALLER_SCOPES };
const GARBAGE_COUNT = 1_000;
const FIRST_COUNT = 1_000;

/** The requests of each workload, and `first`: tokens for the warm-up. */
export async function mcpRequests(server, workloads, { distinctPerRound, processes, good }) {
  const hot = await sign(server, OF_CALLER);
  const many = (count) => signMany(server, count, () => OF_CALLER);
  const make = {
    hot: () => [hot],
    distinct: () => many(distinctPerRound * processes * (good.rounds + 1)),
    missing: () => [undefined],
    garbage: () => Array.from({ length: GARBAGE_COUNT }, (_, index) => garbage(index)),
  };
  const requests = {
    first: (await many(FIRST_COUNT)).map((token) => toolCall(workloads[0].era, token)),
  };
  for (const { id, kind, era } of workloads) {
    requests[id] = (await make[kind]()).map((token) => toolCall(era, token));
  }
  return requests;
}
