import { CheckOptional } from './check.decorator.js';
import { canonicalOrigin, originProblem, parseOrigin } from './origin-rules.js';
import { urlProblem } from './url-rules.js';
import { isListOf, isString } from './value-rules.js';
import type { ResolvedAllowedClientsOptions } from './resolved-options.interface.js';

const isClientId = isString((value) =>
  value.trim() === value ? undefined : 'has white space at its beginning or end; leave it out',
);

const isClientOrigin = isString((value) =>
  value.includes('*') ? 'has "*" in it; list each origin' : (originProblem(value) ?? urlProblem(value)),
);

/**
 * The clients whose tokens a resource accepts. A client is allowed if `clientIds` has its id, or if its id is a URL of one of the
 * `origins`. At least one of the two lists is needed.
 *
 * @publicApi
 */
export class AllowedClientsOptions {
  /**
   * Ids of clients, as their tokens name them. Compared exactly: another letter case, a slash at the end or an encoded character
   * makes another client. A client id is unique only at its authorization server: if a resource has several, each client with
   * this id is allowed, at whichever server.
   *
   * @defaultValue none
   */
  @CheckOptional(isListOf(isClientId, { nonEmpty: false })) readonly clientIds?: readonly string[] = [];

  /**
   * Origins of client id metadata documents, such as `https://claude.ai`: each client whose id is a URL there is allowed. https,
   * or http on loopback. Letter case of the origin and a default port do not matter here; the client's id must begin with the
   * origin in lower case, without default port, and a slash.
   *
   * Only for authorization servers that give such ids only to clients whose document they have fetched. List whole URLs in
   * `clientIds` if others may publish documents at the same origin.
   *
   * @defaultValue none
   * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document | OAuth Client ID Metadata Document}
   */
  @CheckOptional(isListOf(isClientOrigin, { nonEmpty: false })) readonly origins?: readonly string[] = [];
}

/** Returns an origin as the ids of its clients begin. */
function originOfClients(origin: string): string {
  return `${canonicalOrigin(parseOrigin(origin) ?? { scheme: '', host: '', port: '' })}/`;
}

/** @internal */
export function resolveAllowedClients({
  clientIds = [],
  origins = [],
}: AllowedClientsOptions): ResolvedAllowedClientsOptions {
  return { clientIds: [...new Set(clientIds)], origins: [...new Set(origins.map(originOfClients))] };
}
