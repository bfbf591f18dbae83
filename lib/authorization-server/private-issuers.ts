import { McpAuthConfigError } from '../errors/config.error.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';

/**
 * Rejects a private issuer, or an issuer of API keys, that is also the issuer of an authorization server of any resource: their
 * subjects would be confused.
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
  const problems = resources.flatMap(({ privateIssuers, apiKeys }, at) => {
    const path = `resources[${String(at)}]`;
    const named = privateIssuers.map((issuer, index) => ({
      issuer,
      path: `${path}.privateIssuers[${String(index)}]`,
    }));
    const ofKeys = apiKeys ? [{ issuer: apiKeys.issuer, path: `${path}.apiKeys.issuer` }] : [];
    return [...named, ...ofKeys]
      .filter(({ issuer }) => issuers.includes(issuer))
      .map((each) => ({ path: each.path, message: `${message}; got "${each.issuer}"` }));
  });
  if (problems.length > 0) throw new McpAuthConfigError(problems);
}

/**
 * Whether an issuer is a private one of a resource, or that of its API keys: no authorization server of it may have that issuer.
 *
 * @internal
 */
export function isOwnIssuer(
  issuer: string,
  { privateIssuers, apiKeys }: Pick<ResolvedProtectedResourceOptions, 'privateIssuers' | 'apiKeys'>,
): boolean {
  return privateIssuers.includes(issuer) || issuer === apiKeys?.issuer;
}
