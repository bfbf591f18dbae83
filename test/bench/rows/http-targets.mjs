import { median } from '../support/statistics.mjs';
import { verdict } from '../verdict.mjs';
import { atLeast, ratio } from './paired.mjs';

const TITLES = { express: 'Express', fastify: 'Fastify' };

/** What the figures of the platforms must show. @param {Record<string, object | undefined>} platforms */
export function httpTargets({ express, fastify }) {
  const both = Object.entries({ express, fastify });
  return [
    verdict('hot token, Fastify: of bare throughput', '>= 0.80', () =>
      atLeast(ratioOf(fastify, 'hot', 'bare'), 0.8),
    ),
    floor(() => ratioOf(fastify, 'hot', 'bare', 'least')),
    verdict('hot token, Express: of bare throughput', '>= 0.82', () =>
      atLeast(ratioOf(express, 'hot', 'bare'), 0.82),
    ),
    floor(() => ratioOf(express, 'hot', 'bare', 'least')),
    ...both.flatMap(([id, figures]) => [
      verdict(`route no resource covers, ${TITLES[id]}: of no module`, '>= 0.98', () =>
        atLeast(ratioOf(figures, 'missing', 'bare', 'uncovered'), 0.98),
      ),
      floor(() => ratioOf(figures, 'missing', 'bare', 'entering'), 'the least hook'),
    ]),
    verdict('hot token, Express: of CPU mcp-auth adds', '<= 0.25', () => addedCpu(express.hot)),
    ...both.flatMap(([id, figures]) => [
      verdict(`distinct tokens, ${TITLES[id]}: of naive guard`, '>= 0.95', () =>
        atLeast(ratioOf(figures, 'distinct', 'naive'), 0.95),
      ),
      floor(() => ratioOf(figures, 'distinct', 'naive', 'least')),
      verdict(`distinct tokens, ${TITLES[id]}: of mcp-auth`, '>= 1', () =>
        atLeast(ratioOf(figures, 'distinct', 'mcp-auth'), 1),
      ),
    ]),
    ...both.flatMap(([id, figures]) =>
      ['garbage', 'missing'].flatMap((workload) => {
        const what = workload === 'missing' ? 'no token' : workload;
        const show = (subject, other) => atLeast(ratioOf(figures, workload, other, subject), 0.8);
        return [
          verdict(`${what}, ${TITLES[id]}: of a guard that throws`, '>= 0.8', () =>
            show('guard', 'rejecting'),
          ),
          verdict('  with earlyAuthentication: of the bare route', '>= 0.8', () => show('early', 'bare')),
          floor(() => ratioOf(figures, 'missing', 'bare', 'refusing'), '  the least hook that rejects'),
        ];
      }),
    ),
    ...both.map(([id, figures]) => verdict(`wrong or lost answers, ${TITLES[id]}`, '0', () => none(figures))),
  ];
}

/** What the least code for the same job reaches: it shows what is left to reach. */
function floor(measure, what = 'the least guard that keeps tokens') {
  return verdict(`  ${what}`, 'none', () => ({
    ...atLeast(measure(), 0),
    isReached: null,
  }));
}

function ratioOf(figures, workload, other, subject = 'guard') {
  return ratio(figures[workload][subject], figures[workload][other]);
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
