import { SERVER_ENTRY, SUBJECTS } from '../subjects/list.mjs';
import { Child } from '../support/child.mjs';
import { load } from '../support/load.mjs';
import { median } from '../support/statistics.mjs';
import { WORKLOADS } from './workloads.mjs';

/**
 * All subjects under all workloads on one platform. In each round every subject has its turn, so that what
 * else the machine does falls on all alike.
 *
 * @returns workload → subject → figures, or `{ failure }` for a subject that does not start
 */
export async function httpMatrix(platform, { server, requests, settings }) {
  const children = await startAll(platform, server);
  await warmUp(children, { requests, settings });
  const figures = {};
  for (const workload of WORKLOADS) {
    figures[workload.id] = await measureWorkload(workload, children, { requests, settings });
  }
  await Promise.all(children.map(({ child }) => child?.stop()));
  return figures;
}

function startAll(platform, { issuer, jwksUri }) {
  return Promise.all(
    SUBJECTS.map(async ({ id, always }) => {
      try {
        return {
          id,
          always,
          child: await Child.start(SERVER_ENTRY, { subject: id, platform, issuer, jwksUri }),
        };
      } catch (error) {
        return { id, failure: error.message };
      }
    }),
  );
}

/** Lets the compiler see admissions, first sights and refusals before anything is measured. */
async function warmUp(children, { requests, settings }) {
  for (const { child } of children) {
    if (!child) continue;
    const { garbage, hot, warmUp: first } = requests;
    const kinds = [garbage, hot, first, first];
    const request = (index) => kinds[index % 4][(index >> 1) % kinds[index % 4].length];
    const plan = { request, count: settings.warmUpRequests, durationMs: 10_000, expected: () => [200, 401] };
    await load({ port: child.ready.port, ...plan });
  }
}

async function measureWorkload(workload, children, { requests, settings }) {
  const plans = plansOf(workload, requests[workload.id], settings);
  const rounds = Object.fromEntries(children.map(({ id }) => [id, []]));
  for (const [index, plan] of plans.entries()) {
    for (const { id, always, child } of children) {
      if (!child) continue;
      const expected = always ?? (workload.isGood ? 200 : 401);
      const figures = await measure(child, { ...plan, expected: () => expected });
      if (index > 0) rounds[id].push(figures);
    }
  }
  return Object.fromEntries(
    children.map(({ id, failure }) => [id, failure === undefined ? summary(rounds[id]) : { failure }]),
  );
}

/** The plan of the warm-up, then that of each round. Distinct tokens are used once each, by count; others by time. */
function plansOf({ id }, wire, { rounds, roundMs }) {
  if (id !== 'distinct') {
    const request = (index) => wire[index % wire.length];
    return Array.from({ length: rounds + 1 }, () => ({ request, durationMs: roundMs }));
  }
  const share = Math.floor(wire.length / (rounds + 1));
  return Array.from({ length: rounds + 1 }, (_, round) => ({
    request: (index) => wire[round * share + index],
    count: share,
    durationMs: 20_000,
  }));
}

async function measure(child, plan) {
  const before = await child.call('cpu');
  const result = await load({ port: child.ready.port, isAwake: true, ...plan });
  const after = await child.call('cpu');
  const cpuMicros = after.user + after.system - before.user - before.system;
  return { ...result, cpuMicros: cpuMicros / result.requests, busy: cpuMicros / 1e6 / result.seconds };
}

function summary(rounds) {
  const of = (name) => rounds.map((round) => round[name]);
  return {
    rounds,
    perSecond: median(of('perSecond')),
    cpuMicros: median(of('cpuMicros')),
    p99Ms: median(of('p99Ms')),
    busy: median(of('busy')),
    bad: of('wrongCount').reduce((sum, count, index) => sum + count + rounds[index].lost, 0),
    wrong: Object.assign({}, ...of('wrong')),
  };
}
