import { median } from '../support/statistics.mjs';
import { verdict } from '../verdict.mjs';

const TITLES = { express: 'Express', fastify: 'Fastify' };

/** What the figures of the platforms must show. @param {Record<string, object | undefined>} platforms */
export function httpTargets({ express, fastify }) {
  const both = Object.entries({ express, fastify });
  return [
    verdict('hot token, Fastify: of bare throughput', '>= 0.85', () =>
      atLeast(ratio(fastify, 'hot', 'bare'), 0.85),
    ),
    verdict('hot token, Express: of CPU mcp-auth adds', '<= 0.25', () => addedCpu(express.hot)),
    ...both.flatMap(([id, figures]) => [
      verdict(`distinct tokens, ${TITLES[id]}: of naive guard`, '>= 0.95', () =>
        atLeast(ratio(figures, 'distinct', 'naive'), 0.95),
      ),
      verdict(`distinct tokens, ${TITLES[id]}: of mcp-auth`, '>= 1', () =>
        atLeast(ratio(figures, 'distinct', 'mcp-auth'), 1),
      ),
    ]),
    ...both.flatMap(([id, figures]) =>
      ['garbage', 'missing'].flatMap((workload) => {
        const what = workload === 'missing' ? 'no token' : workload;
        const show = (subject) => atLeast(ratio(figures, workload, 'bare', subject), 0.8);
        return [
          verdict(`${what}, ${TITLES[id]}: of bare throughput`, '>= 0.8', () => show('guard')),
          verdict('  with earlyAuthentication', '>= 0.8', () => show('early')),
        ];
      }),
    ),
    ...both.map(([id, figures]) => verdict(`wrong or lost answers, ${TITLES[id]}`, '0', () => none(figures))),
  ];
}

/**
 * A subject's throughput, measured by another's in the same round, and the same by CPU time: other work on the machine
 * falls less on that.
 */
function ratio(figures, workload, other, subject = 'guard') {
  const { [subject]: own, [other]: base } = figures[workload];
  return {
    throughput: median(own.rounds.map(({ perSecond }, round) => perSecond / base.rounds[round].perSecond)),
    cpu: median(own.rounds.map(({ cpuMicros }, round) => base.rounds[round].cpuMicros / cpuMicros)),
  };
}

function addedCpu({ bare, guard, 'mcp-auth': peer }) {
  const shares = guard.rounds.map((own, round) => {
    const base = bare.rounds[round].cpuMicros;
    return (own.cpuMicros - base) / (peer.rounds[round].cpuMicros - base);
  });
  const share = median(shares);
  const [own, theirs] = [guard, peer].map(({ cpuMicros }) => (cpuMicros - bare.cpuMicros).toFixed(0));
  return { figure: `${share.toFixed(2)} (${own} of ${theirs} µs)`, isReached: share <= 0.25 };
}

function none(figures) {
  const count = Object.values(figures).reduce((sum, { guard, early }) => sum + bad(guard) + bad(early), 0);
  return { figure: String(count), isReached: count === 0 };
}

function bad({ bad: count, failure }) {
  if (failure !== undefined) throw new Error(failure);
  return count;
}

function atLeast({ throughput, cpu }, least) {
  return { figure: `${throughput.toFixed(2)} (by CPU ${cpu.toFixed(2)})`, isReached: throughput >= least };
}
