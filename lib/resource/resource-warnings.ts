import { OFFLINE_ACCESS } from '../mcp-auth.constants.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import { splitUrl } from '../options/url-rules.js';

const CATCH_ALL: readonly string[] = ['*', 'all', 'full-access'];

/**
 * Returns bootstrap warnings about options of a resource that are valid but cause problems for clients or people.
 *
 * @internal
 */
export function resourceWarnings(options: ResolvedProtectedResourceOptions): readonly string[] {
  const { resource, requiredScopes, scopesSupported = [], authorizationServers } = options;
  const { origin, path } = splitUrl(resource);
  const scopes = [...requiredScopes, ...scopesSupported];
  const warnings: string[] = [];
  if (origin !== origin.toLowerCase())
    warnings.push('write scheme and host in lower case; clients compare letter by letter');
  if (path.length > 1 && path.endsWith('/')) {
    warnings.push(
      'leave out the slash at the end; clients reject a resource that differs from the URL that people type',
    );
  }
  if (scopes.includes(OFFLINE_ACCESS))
    warnings.push(`"${OFFLINE_ACCESS}" is not advertised; clients ask for it by themselves`);
  const broad = CATCH_ALL.filter((scope) => scopes.includes(scope));
  if (broad.length > 0)
    warnings.push(`the scope ${broad.join(', ')} covers everything; name what each operation needs`);
  if (authorizationServers.some(({ introspection }) => introspection?.trustAnswerWithoutAudience))
    warnings.push(
      '"trustAnswerWithoutAudience" is on: tokens without an audience are accepted when introspection calls them active',
    );
  return warnings;
}
