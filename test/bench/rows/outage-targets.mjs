import { verdict } from '../verdict.mjs';

/** What hostile keys, an outage and introspection must show. */
export function outageTargets({ unknownKeys, cold, warm, introspection }) {
  return [
    verdict('random key ids: key fetches', '1 / cooldown', () => {
      const { fetches, allowed, requests, seconds } = unknownKeys;
      const figure = `${fetches} in ${seconds.toFixed(1)} s, ${requests} requests`;
      return { figure, isReached: fetches <= allowed };
    }),
    verdict('  wrong or lost answers', '0', () => allRight(unknownKeys)),
    verdict('AS down, cold keys, 500 requests: fetches', '1', () => {
      const { guard, 'mcp-auth': peer, naive } = cold;
      const figure = `${guard.fetches} (mcp-auth ${peer.fetches}, jose ${naive.fetches})`;
      return { figure, isReached: guard.fetches === 1 };
    }),
    verdict('  answers', 'all 503', () => allRight(cold.guard)),
    verdict('AS down, keys past their age: answers', 'all 200', () => allRight(warm)),
    verdict('one opaque token, 100 at once: calls', '1, all 200', () => {
      if (introspection.failure !== undefined) throw new Error(introspection.failure);
      const { calls, statuses, wrongCount, lost } = introspection;
      return { figure: `${calls}, ${list(statuses)}`, isReached: calls === 1 && wrongCount + lost === 0 };
    }),
  ];
}

function allRight({ statuses, wrongCount, lost }) {
  return { figure: `${wrongCount + lost} wrong: ${list(statuses)}`, isReached: wrongCount + lost === 0 };
}

function list(statuses) {
  return Object.entries(statuses)
    .map(([status, count]) => `${count} x ${status}`)
    .join(', ');
}
