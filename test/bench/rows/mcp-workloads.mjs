import { provingClient } from '../support/proofs.mjs';
import { garbage, sign, signMany } from '../support/tokens.mjs';
import { CALLER_SCOPES, toolCall } from '../support/tool-call.mjs';

const OF_CALLER = { scope: CALLER_SCOPES };
const GARBAGE_COUNT = 1_000;
const FIRST_COUNT = 1_000;

/** A round of proofs has as many times the requests of one of distinct tokens, as they take less time to make. */
const PROOFS_OF_TOKEN = 2;

/** The requests of each workload, and `first`: some for the warm-up. */
export async function mcpRequests(server, workloads, { distinctPerRound, processes, good, warmUpRequests }) {
  const hot = await sign(server, OF_CALLER);
  const many = (count) => signMany(server, count, () => OF_CALLER);
  const perRounds = distinctPerRound * processes * (good.rounds + 1);
  const make = {
    hot: () => [hot],
    distinct: () => many(perRounds),
    missing: () => [undefined],
    garbage: () => Array.from({ length: GARBAGE_COUNT }, (_, index) => garbage(index)),
  };
  // A token that comes again in the warm-up is no first sight.
  const isDistinct = workloads.some(({ kind }) => kind === 'distinct');
  const firstCount = isDistinct ? Math.ceil(warmUpRequests / workloads.length) : FIRST_COUNT;
  const requests = { first: await firstCalls(server, workloads[0], firstCount, many) };
  for (const { id, kind, era, alg } of workloads) {
    if (kind === 'proved')
      requests[id] = await provedCalls(server, era, { alg, count: PROOFS_OF_TOKEN * perRounds });
    else requests[id] = (await make[kind]()).map((token) => toolCall(era, token));
  }
  return requests;
}

/** For the warm-up; a proof that comes again is rejected after all checks but the last. */
async function firstCalls(server, { era, kind, alg }, count, many) {
  if (kind === 'proved') return provedCalls(server, era, { alg, count });
  return (await many(count)).map((token) => toolCall(era, token));
}

/** Calls with one token, and a proof of its own for each. */
async function provedCalls(server, era, { alg, count }) {
  const { token, proofs } = await provingClient(server, { alg, count, claims: OF_CALLER });
  return proofs.map((proof) => toolCall(era, token, { proof }));
}
