import { SERVER_ENTRY, SUBJECTS } from '../subjects/list.mjs';
import { Child } from '../support/child.mjs';
import { matrix, plans } from './matrix.mjs';
import { WORKLOADS } from './workloads.mjs';

/** All subjects before a REST route under all workloads, on one platform. @returns what `matrix` does */
export function httpMatrix(platform, { server: { issuer, jwksUri }, requests, settings }) {
  const { processes, processRounds: rounds, roundMs } = settings;
  return matrix({
    subjects: SUBJECTS,
    workloads: WORKLOADS,
    processes,
    start: ({ id }) => Child.start(SERVER_ENTRY, { subject: id, platform, issuer, jwksUri }),
    warmUp: warmUp(requests, settings),
    plansOf: ({ id }, turn) =>
      plans(requests[id], { rounds, roundMs, isOnce: id === 'distinct', turn, processes }),
  });
}

/** Lets the compiler see admissions, first sights and rejections before anything is measured. */
function warmUp({ garbage, hot, warmUp: first }, { warmUpRequests }) {
  const kinds = [garbage, hot, first, first];
  const request = (index) => kinds[index % 4][(index >> 1) % kinds[index % 4].length];
  return { request, count: warmUpRequests, durationMs: 30_000 };
}
