import type { ConfigProblem } from '../errors/config.error.js';
import type { CheckedOptions } from './option-problems.js';

const FIX =
  'remembers what was used in the memory of one process, and "replicas" is "several": at another replica it could be used ' +
  'again; give it a "replayStore" that all replicas share, for example RedisReplayStore of nestjs-mcp-auth/redis';

/**
 * Returns the features that would keep in one process what all replicas must know. Only in production: elsewhere the same
 * configuration may run as one process.
 *
 * @internal
 */
export function replicaProblems({ resources, replicas }: CheckedOptions): ConfigProblem[] {
  if (replicas !== 'several' || process.env['NODE_ENV'] !== 'production') return [];
  return resources.flatMap(({ authorizationServers, dpop }, index) => {
    const path = `resources[${String(index)}]`;
    // The short forms of both options have become objects, except `true`.
    const proofs = isKeptHere(dpop) ? [{ path: `${path}.dpop`, message: FIX }] : [];
    const tokens = authorizationServers.flatMap(({ oneTimeTokens }, at) =>
      isKeptHere(oneTimeTokens)
        ? [{ path: `${path}.authorizationServers[${String(at)}].oneTimeTokens`, message: FIX }]
        : [],
    );
    return [...proofs, ...tokens];
  });
}

/** Whether a feature that accepts something once is on without a store. */
function isKeptHere(feature: unknown): boolean {
  if (typeof feature !== 'object' || feature === null) return feature === true;
  return !('replayStore' in feature) || feature.replayStore === undefined;
}
