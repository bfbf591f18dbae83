import { McpAuthConfigError } from '../errors/config.error.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';

/**
 * Rejects a private issuer that is also the issuer of an authorization server of any resource: their subjects would be
 * confused.
 *
 * @param issuers - of all authorization servers
 * @throws {@link McpAuthConfigError} naming each such private issuer
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
