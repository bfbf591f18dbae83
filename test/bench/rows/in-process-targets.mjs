import { verdict } from '../verdict.mjs';

const MAX_BYTES_EACH = 12 * 1024;
const MAX_BYTES_OF_TENANT = 8 * 1024;

/** What the figures without HTTP must show. @param {object | undefined} results */
export function inProcessTargets(results) {
  return [
    verdict('guard alone, token seen before: x mcp-auth', '>= 60', () => {
      const { guard, mcpAuth } = results.hot;
      return times(guard, mcpAuth, 60);
    }),
    verdict('  the least guard that keeps tokens', 'none', () => {
      const { least, mcpAuth } = results.hot;
      return { ...times(least, mcpAuth, 0), isReached: null };
    }),
    // mcp-auth's calls overlap: a fortieth of its time is less than the hash of a token takes.
    verdict('  with 8 calls in flight', 'none', () => {
      const { guardInFlight, mcpAuthInFlight } = results.hot;
      return { ...times(guardInFlight, mcpAuthInFlight, 0), isReached: null };
    }),
    verdict('guard alone, first sight: of bare jwtVerify', '<= 1.10', () => atMost(results.firstSight)),
    verdict('  the least guard that keeps tokens', 'none', () => ({
      figure: results.firstSight.leastRatio.toFixed(2),
      isReached: null,
    })),
    verdict('  with 8 calls in flight', '<= 1.10', () => atMost(results.firstSight.inFlight)),
    verdict('  one thread in the pool', '<= 1.10', () => atMost(results.firstSight.oneThread)),
    verdict('    with 8 calls in flight', '<= 1.10', () => atMost(results.firstSight.oneThread.inFlight)),
    verdict('an event, one listener: added to a tool call', '< 1 µs', () => {
      const { addedByListener: added, silent, heard } = results.events;
      return {
        figure: `${added.toFixed(2)} µs (${silent.toFixed(1)} to ${heard.toFixed(1)} µs)`,
        isReached: added < 1,
      };
    }),
    verdict('  a listener of another event: added', 'none', () => {
      return { figure: `${results.events.addedByOther.toFixed(2)} µs`, isReached: null };
    }),
    verdict('introspection kept, hot: x uncached oauth4webapi', '>= 50', () => {
      const { guard, bare } = results.introspection;
      return times(guard, bare, 50);
    }),
    verdict('discovery, 100 issuers of 50 ms: of one', '< 2', () => {
      const { oneMs, manyMs } = results.discovery;
      const share = manyMs / oneMs;
      return {
        figure: `${share.toFixed(2)} (${manyMs.toFixed(0)} to ${oneMs.toFixed(0)} ms)`,
        isReached: share < 2,
      };
    }),
    verdict('1,000 resources and issuers: heap of each', '<= 12 KB', () => {
      const { bytesEach } = results.many;
      return { figure: `${(bytesEach / 1024).toFixed(1)} KB`, isReached: bytesEach <= MAX_BYTES_EACH };
    }),
    verdict('1,000 resources: last call, of the first', '<= 1.2', () => {
      const { first, last } = results.many;
      const share = last / first;
      return {
        figure: `${share.toFixed(2)} (${last.toFixed(1)} to ${first.toFixed(1)} µs)`,
        isReached: share <= 1.2,
      };
    }),
    verdict('10,000 tenants: heap of each', '<= 8 KB', () => {
      const { bytesEach } = results.tenants;
      return { figure: `${(bytesEach / 1024).toFixed(1)} KB`, isReached: bytesEach <= MAX_BYTES_OF_TENANT };
    }),
    verdict('10,000 tenants: last call, of the only one', '<= 1.2', () => {
      const { one, last } = results.tenants;
      const share = last / one;
      return {
        figure: `${share.toFixed(2)} (${last.toFixed(1)} to ${one.toFixed(1)} µs)`,
        isReached: share <= 1.2,
      };
    }),
  ];
}

function times(own, theirs, least) {
  const factor = theirs / own;
  return {
    figure: `${factor.toFixed(1)} (${own.toFixed(1)} to ${theirs.toFixed(1)} µs)`,
    isReached: factor >= least,
  };
}

function atMost({ guard, bare, ratio }) {
  return {
    figure: `${ratio.toFixed(2)} (${guard.toFixed(0)} to ${bare.toFixed(0)} µs)`,
    isReached: ratio <= 1.1,
  };
}
