import { MCP_TRANSPORTS } from '../subjects/list.mjs';
import { verdict } from '../verdict.mjs';
import { added, atLeast, ratio } from './paired.mjs';

const MOST_ADDED = 0.45;
/** A proof is a second signature to check: with ES256 it takes longer than the whole naive guard. */
const MOST_OF_NAIVE = 1.15;
/** The least guard for DPoP checks the same signature. */
const MOST_OF_LEAST = 1.1;
const OWN = ['imported', 'guard', 'scoped'];
const FLOORS = [
  ['the least guard', 'least'],
  ['the least code for the whole job', 'whole'],
];

/**
 * What the figures of `tools/call` must show, by transport. The lines of the least guard and of the least code for the whole job
 * are no targets: they show what is left to reach.
 *
 * @param {Record<string, object | undefined>} transports
 */
export function mcpTargets({ nest, dpop, mounted, 'sdk-v2': v2, 'sdk-v1': v1 }) {
  const ofNoGuard = (figures, least, subject = 'scoped') => {
    const [hot] = Object.values(figures);
    return atLeast(ratio(hot[subject], hot.bare), least);
  };
  return [
    ...['2025-11-25', '2026-07-28'].flatMap((era) => [
      verdict(`tools/call ${era}, mcp-nest, scopes: CPU added, of naive`, `<= ${MOST_ADDED}`, () =>
        addedShare(nest[`hot ${era}`], 'scoped'),
      ),
      ...FLOORS.map(([what, subject]) =>
        verdict(`  ${what}`, 'none', () => ({
          ...addedShare(nest[`hot ${era}`], subject),
          isReached: null,
        })),
      ),
      verdict('  throughput of no guard', '>= 0.91', () => {
        const { scoped, bare } = nest[`hot ${era}`];
        return atLeast(ratio(scoped, bare), 0.91);
      }),
      ...FLOORS.map(([what, subject]) =>
        verdict(`    ${what}`, 'none', () => shown(nest[`hot ${era}`], subject, 'bare')),
      ),
    ]),
    verdict('tools/call, module imported, route unguarded: of no module', '>= 0.98', () =>
      ofNoGuard(nest, 0.98, 'imported'),
    ),
    verdict('tools/call, distinct tokens, mcp-nest: of naive guard', '>= 0.97', () =>
      atLeast(ratio(nest.distinct.scoped, nest.distinct.naive), 0.97),
    ),
    ...FLOORS.map(([what, subject]) =>
      verdict(`  ${what}`, 'none', () => shown(nest.distinct, subject, 'naive')),
    ),
    verdict('tools/call, DPoP, token seen before: CPU of a call, of naive guard', `<= ${MOST_OF_NAIVE}`, () =>
      costShare(dpop.ES256),
    ),
    ...['Ed25519', 'RS256'].map((alg) =>
      verdict(`  ${alg} proofs`, 'none', () => ({ ...costShare(dpop[alg]), isReached: null })),
    ),
    verdict('  ES256 proofs, of the least guard for DPoP', `<= ${MOST_OF_LEAST}`, () =>
      shareOfLeast(dpop.ES256),
    ),
    ...[
      ['missing', 'no token'],
      ['garbage', 'garbage'],
    ].map(([id, what]) =>
      verdict(`tools/call, ${what}: of a guard that throws`, '>= 0.8', () =>
        atLeast(ratio(nest[id].scoped, nest[id].rejecting), 0.8),
      ),
    ),
    verdict('tools/call, SDK v2, scopes: throughput of no guard', '>= 0.95', () => ofNoGuard(v2, 0.95)),
    ...FLOORS.map(([what, subject]) =>
      verdict(`  ${what}`, 'none', () => ({ ...ofNoGuard(v2, 0, subject), isReached: null })),
    ),
    ...[
      ['SDK v1', v1],
      ['self-mounted, early', mounted],
    ].map(([what, figures]) =>
      verdict(`tools/call, ${what}, scopes: throughput of no guard`, 'none', () => ({
        ...ofNoGuard(figures, 0),
        isReached: null,
      })),
    ),
    ...Object.entries({ nest, dpop, mounted, 'sdk-v2': v2, 'sdk-v1': v1 }).map(([id, figures]) =>
      verdict(`wrong or lost answers, ${MCP_TRANSPORTS[id].title}`, '0', () => noneOf(figures)),
    ),
  ];
}

/** A ratio without a target. */
function shown(figures, own, base) {
  return { ...atLeast(ratio(figures[own], figures[base]), 0), isReached: null };
}

function addedShare(figures, subject) {
  const { bare, naive, [subject]: own } = figures;
  const [ownMicros, naiveMicros] = [added(own, bare), added(naive, bare)];
  const share = ownMicros / naiveMicros;
  return {
    figure: `${share.toFixed(2)} (${ownMicros.toFixed(0)} of ${naiveMicros.toFixed(0)} µs)`,
    isReached: share <= MOST_ADDED,
  };
}

/** The CPU time of a whole call, of that behind the naive guard, and what both guards add to a call. */
function costShare({ bare, naive, scoped }) {
  const share = 1 / ratio(scoped, naive).cpu;
  const [own, other] = [added(scoped, bare), added(naive, bare)];
  return {
    figure: `${share.toFixed(2)} (adds ${own.toFixed(0)}, naive ${other.toFixed(0)} µs)`,
    isReached: share <= MOST_OF_NAIVE,
  };
}

/** The CPU time of a whole call, of that behind the least guard for the same job. */
function shareOfLeast({ least, scoped }) {
  const share = 1 / ratio(scoped, least).cpu;
  return { figure: share.toFixed(2), isReached: share <= MOST_OF_LEAST };
}

function noneOf(figures) {
  const own = Object.values(figures).flatMap((subjects) => OWN.flatMap((id) => subjects[id] ?? []));
  const failed = own.find(({ failure }) => failure !== undefined);
  if (failed) throw new Error(failed.failure);
  const count = own.reduce((sum, { bad }) => sum + bad, 0);
  return { figure: String(count), isReached: count === 0 };
}
