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
  return resources.flatMap(({ authorizationServers }, index) =>
    authorizationServers.flatMap(({ oneTimeTokens = false }, at) => {
      const isKeptHere =
        oneTimeTokens === true || (oneTimeTokens !== false && oneTimeTokens.replayStore === undefined);
      const path = `resources[${String(index)}].authorizationServers[${String(at)}].oneTimeTokens`;
      return isKeptHere ? [{ path, message: FIX }] : [];
    }),
  );
}
