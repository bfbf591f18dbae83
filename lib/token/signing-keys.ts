import { type ConfigProblem, McpAuthConfigError } from '../errors/config.error.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import { privateKeyJwt } from './introspection-client.js';
import { toIntrospectionFailure } from './introspection-failure.js';

/**
 * Asserts at the start that the private keys of an option can sign requests to their authorization servers.
 *
 * @param option - the option of the servers that has the keys
 * @throws {@link McpAuthConfigError} naming each key that cannot
 * @internal
 */
export async function assertSigningKeys(
  resources: readonly ResolvedProtectedResourceOptions[],
  option: 'introspection' | 'tokenExchange',
): Promise<void> {
  const checks = resources.flatMap(({ authorizationServers }, at) =>
    authorizationServers.map(async ({ [option]: client }, index): Promise<ConfigProblem[]> => {
      if (client?.privateKey === undefined) return [];
      const path = `resources[${String(at)}].authorizationServers[${String(index)}].${option}.privateKey`;
      return privateKeyJwt(client.privateKey).then(
        () => [],
        (error: unknown) => [{ path, message: toIntrospectionFailure(error).message }],
      );
    }),
  );
  const problems = (await Promise.all(checks)).flat();
  if (problems.length > 0) throw new McpAuthConfigError(problems);
}
