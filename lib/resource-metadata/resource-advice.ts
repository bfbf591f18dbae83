import { OFFLINE_ACCESS } from '../mcp-auth.constants.js';
import { type ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import { splitUrl } from '../options/url-rules.js';

const CATCH_ALL: readonly string[] = ['*', 'all', 'full-access'];

/**
 * What is allowed in a resource's options and will trouble clients or people; for a warning at bootstrap.
 *
 * @internal
 */
export function resourceAdvice(options: ResolvedProtectedResourceOptions): readonly string[] {
  const { resource, requiredScopes, scopesSupported = [], authorizationServers } = options;
  const { origin, path } = splitUrl(resource);
  const scopes = [...requiredScopes, ...scopesSupported];
  const advice: string[] = [];
  if (origin !== origin.toLowerCase())
    advice.push('write scheme and host in lower case; clients compare letter by letter');
  if (path.length > 1 && path.endsWith('/')) {
    advice.push(
      'leave out the slash at the end; clients refuse a resource that differs from the URL that people type',
    );
  }
  if (scopes.includes(OFFLINE_ACCESS))
    advice.push(`"${OFFLINE_ACCESS}" is not advertised; clients ask for it by themselves`);
  const broad = CATCH_ALL.filter((scope) => scopes.includes(scope));
  if (broad.length > 0)
    advice.push(`the scope ${broad.join(', ')} covers everything; name what each operation needs`);
  if (authorizationServers.some(({ introspection }) => introspection?.trustAnswerWithoutAudience))
    advice.push(
      '"trustAnswerWithoutAudience" is on: tokens without an audience are accepted when introspection calls them active',
    );
  return advice;
}
