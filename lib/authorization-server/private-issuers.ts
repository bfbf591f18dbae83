import { McpAuthConfigError } from '../errors/config.error.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';

/**
 * Makes sure that no private issuer is that of an authorization server, of whatever resource: the subjects of the one
 * would be taken for those of the other.
 *
 * @param issuers - of all authorization servers
 * @throws {@link McpAuthConfigError} naming each that is
 * @internal
 */
export function assertPrivateIssuers(
  resources: readonly ResolvedProtectedResourceOptions[],
  issuers: readonly string[],
): void {
  const message = 'is the issuer of an authorization server; a private issuer must not be';
  const problems = resources.flatMap(({ privateIssuers }, at) =>
    privateIssuers.flatMap((issuer, index) => {
      const path = `resources[${String(at)}].privateIssuers[${String(index)}]`;
      return issuers.includes(issuer) ? [{ path, message: `${message}; got "${issuer}"` }] : [];
    }),
  );
  if (problems.length > 0) throw new McpAuthConfigError(problems);
}
