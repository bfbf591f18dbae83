import process from 'node:process';
import { load } from '../support/load.mjs';
import { median } from '../support/statistics.mjs';

/**
 * All subjects under all workloads. In each round every subject has its turn, so that what else the machine does falls
 * on all alike. Each has several processes one after another: of the same program one may be half as fast as the next, by
 * what the engine has made of it.
 *
 * @param {object} matrix
 * @param {readonly { id: string, always?: number }[]} matrix.subjects - `always` is the status of those that look at no token
 * @param {readonly { id: string, isGood: boolean, only?: readonly string[] }[]} matrix.workloads - `only` names its subjects
 * @param {number} matrix.processes
 * @param {(subject: object) => Promise<Child>} matrix.start
 * @param {object} matrix.warmUp - the plan of the load before anything is measured, on all subjects at once
 * @param {(workload: object, turn: number) => readonly object[]} matrix.plansOf - of its warm-up and of each round
 * @param {(children: readonly object[]) => void} [matrix.onWarm] - before the measuring of a turn
 * @param {() => void} [matrix.onStop] - after it
 * @returns workload → subject → figures, or `{ failure }` for a subject that does not start
 */
export async function matrix({ subjects, workloads, processes, start, warmUp, plansOf, onWarm, onStop }) {
  const found = Object.fromEntries(workloads.map(({ id }) => [id, {}]));
  for (let turn = 0; turn < processes; turn++) {
    process.stderr.write(`  process ${turn + 1} of ${processes}\n`);
    const children = await startAll(subjects, start);
    await Promise.all(children.map(({ child }) => child && warm(child, warmUp)));
    onWarm?.(children);
    for (const workload of workloads) {
      const measured = children.filter(({ id }) => workload.only?.includes(id) ?? true);
      await measureWorkload(workload, measured, plansOf(workload, turn), found[workload.id]);
    }
    await Promise.all(children.map(({ child }) => child?.stop()));
    onStop?.();
  }
  return mapValues(found, (figures) => mapValues(figures, summary));
}

const mapValues = (given, map) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, map(value)]));

function startAll(subjects, start) {
  return Promise.all(
    subjects.map(async (subject) => {
      const { id, always } = subject;
      try {
        return { id, always, child: await start(subject) };
      } catch (error) {
        return { id, failure: error.message };
      }
    }),
  );
}

function warm(child, plan) {
  return load({ ...plan, port: child.ready.port, expected: () => [200, 401] });
}

/** Adds the rounds of one turn to those that were found before. */
async function measureWorkload(workload, children, plans, found) {
  for (const { id, failure } of children) {
    found[id] ??= { rounds: [] };
    if (failure !== undefined) found[id].failure = failure;
  }
  for (const [index, plan] of plans.entries()) {
    for (const { id, always, child } of startingAt(index, children)) {
      if (!child) continue;
      const expected = always ?? (workload.isGood ? 200 : 401);
      const figures = await measure(child, { ...plan, expected: () => expected });
      if (index > 0) found[id].rounds.push(figures);
    }
  }
}

/** Another subject begins each round: what one leaves to do falls on the next. */
function startingAt(index, children) {
  const begin = index % children.length;
  return [...children.slice(begin), ...children.slice(0, begin)];
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

/**
 * Plans by time, or for requests that are sent once each by count: the first is the warm-up of the workload.
 *
 * @param {readonly string[]} wire - the requests
 * @param {{ rounds: number, roundMs: number, isOnce: boolean, turn: number, processes: number }} how
 */
export function plans(wire, { rounds, roundMs, isOnce, turn, processes }) {
  const length = rounds + 1;
  if (!isOnce) {
    const request = (index) => wire[index % wire.length];
    return Array.from({ length }, (_, round) => ({
      request,
      durationMs: round === 0 ? roundMs / 3 : roundMs,
    }));
  }
  const share = Math.floor(wire.length / (processes * length));
  return Array.from({ length }, (_, round) => ({
    request: (index) => wire[(turn * length + round) * share + index],
    count: share,
    durationMs: 20_000,
  }));
}
