import { SERVER_ENTRY, SUBJECTS } from '../subjects/list.mjs';
import { Child } from '../support/child.mjs';
import { load } from '../support/load.mjs';
import { median } from '../support/statistics.mjs';
import { WORKLOADS } from './workloads.mjs';

/**
 * All subjects under all workloads on one platform. In each round every subject has its turn, so that what
 * else the machine does falls on all alike. Each has several processes one after another: of the same program one may be
 * half as fast as the next, by what the engine has made of it.
 *
 * @returns workload → subject → figures, or `{ failure }` for a subject that does not start
 */
export async function httpMatrix(platform, { server, requests, settings }) {
  const found = Object.fromEntries(WORKLOADS.map(({ id }) => [id, {}]));
  for (let turn = 0; turn < settings.processes; turn++) {
    const children = await startAll(platform, server);
    await warmUp(children, { requests, settings });
    for (const workload of WORKLOADS) {
      const plans = plansOf(workload, requests[workload.id], turn, settings);
      await measureWorkload(workload, children, plans, found[workload.id]);
    }
    await Promise.all(children.map(({ child }) => child?.stop()));
  }
  return mapValues(found, (subjects) => mapValues(subjects, summary));
}

const mapValues = (given, map) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, map(value)]));

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

/** Lets the compiler see admissions, first sights and rejections before anything is measured. */
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

/** Adds the rounds of one turn to those that were found before. */
async function measureWorkload(workload, children, plans, found) {
  for (const { id, failure } of children) {
    found[id] ??= { rounds: [] };
    if (failure !== undefined) found[id].failure = failure;
  }
  for (const [index, plan] of plans.entries()) {
    for (const { id, always, child } of children) {
      if (!child) continue;
      const expected = always ?? (workload.isGood ? 200 : 401);
      const figures = await measure(child, { ...plan, expected: () => expected });
      if (index > 0) found[id].rounds.push(figures);
    }
  }
}

/** The plan of the warm-up, then that of each round. Distinct tokens are used once each, by count; others by time. */
function plansOf({ id }, wire, turn, { processes, processRounds, roundMs }) {
  const length = processRounds + 1;
  if (id !== 'distinct') {
    const request = (index) => wire[index % wire.length];
    return Array.from({ length }, () => ({ request, durationMs: roundMs }));
  }
  const share = Math.floor(wire.length / (processes * length));
  return Array.from({ length }, (_, round) => ({
    request: (index) => wire[(turn * length + round) * share + index],
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

function summary({ rounds, failure }) {
  if (failure !== undefined) return { failure };
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
