import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import type { ProtectedResource } from './protected-resource.registry.js';

type ItsServers = Pick<ProtectedResource, 'servers' | 'resolvedServers'>;

/**
 * Returns the authorization server of an issuer at a resource: one that is configured, or one that
 * `authorizationServerResolver` has named. Asks nothing.
 *
 * @internal
 */
export function serverOf(resource: ItsServers, issuer: string): TrustedAuthorizationServer | undefined {
  return resource.servers.get(issuer) ?? resource.resolvedServers?.known(issuer);
}

/**
 * Asks for the authorization server of an issuer, if it is not configured. Afterwards {@link serverOf} returns it.
 *
 * @param issuer - the claim, which may be anything
 * @param go - what to do then. It runs at once unless the application is asked
 * @internal
 */
export function withServerOf<T>(
  { servers, options, resolvedServers }: ProtectedResource,
  issuer: unknown,
  go: () => T | Promise<T>,
): T | Promise<T> {
  if (!resolvedServers || typeof issuer !== 'string') return go();
  if (servers.has(issuer) || options.privateIssuers.includes(issuer)) return go();
  const found = resolvedServers.find(issuer);
  return found instanceof Promise ? found.then(go) : go();
}
