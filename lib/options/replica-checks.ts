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
  if (!areReplicasChecked(replicas)) return [];
  return resources.flatMap(({ authorizationServers, dpop }, index) => {
    const path = `resources[${String(index)}]`;
    // The short forms of both options have become objects, except `true`.
    const proofs = isKeptHere(dpop) ? [{ path: `${path}.dpop`, message: FIX }] : [];
    const tokens = authorizationServers.flatMap((server, at) =>
      serverReplicaProblems(server, `${path}.authorizationServers[${String(at)}]`),
    );
    return [...proofs, ...tokens];
  });
}

/** @internal */
export function areReplicasChecked(replicas: CheckedOptions['replicas']): boolean {
  return replicas === 'several' && process.env['NODE_ENV'] === 'production';
}

/** As {@link replicaProblems}, for an authorization server that became known at run time. @internal */
export function serverReplicaProblems(
  { oneTimeTokens }: { readonly oneTimeTokens?: unknown },
  path: string,
): ConfigProblem[] {
  return isKeptHere(oneTimeTokens) ? [{ path: `${path}.oneTimeTokens`, message: FIX }] : [];
}

/** Whether a feature that accepts something once is on without a store. */
function isKeptHere(feature: unknown): boolean {
  if (typeof feature !== 'object' || feature === null) return feature === true;
  return !('replayStore' in feature) || feature.replayStore === undefined;
}
