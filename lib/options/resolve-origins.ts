import { canonicalOrigin, parseHost, parseOrigin, withoutAnyPort } from './origin-rules.js';
import { isLoopbackHost } from './url-rules.js';

/** The names by which a browser on this machine reaches it. */
const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]'];

const LOOPBACK_ORIGINS = LOOPBACK_HOSTS.flatMap((host) => [`http://${host}:*`, `https://${host}:*`]);

/**
 * Returns the origins that a resource accepts, in the form in which they are compared. `:*` is every port, `*` is any origin.
 *
 * @internal
 */
export function resolveAllowedOrigins(resource: string, given: readonly string[] = []): readonly string[] {
  const { origin, hostname } = new URL(resource);
  const defaults = isLoopbackHost(hostname) ? [origin, ...LOOPBACK_ORIGINS] : [origin];
  return [...new Set([...defaults, ...given.map(canonicalEntry)])];
}

/**
 * Returns the hosts that a resource accepts; a host without a port matches every port. Undefined if the Host is not checked.
 *
 * @internal
 */
export function resolveAllowedHosts(
  resource: string,
  given: readonly string[] | undefined,
): readonly string[] | undefined {
  const { hostname } = new URL(resource);
  if (given) return [...new Set([hostname, ...given.map(canonicalHost)])];
  return isLoopbackHost(hostname) ? [...new Set([hostname, ...LOOPBACK_HOSTS])] : undefined;
}

function canonicalEntry(entry: string): string {
  const fixed = withoutAnyPort(entry);
  const parts = parseOrigin(fixed);
  return parts ? canonicalOrigin(parts) + entry.slice(fixed.length) : entry;
}

function canonicalHost(entry: string): string {
  const parts = parseHost(entry);
  return parts ? canonicalOrigin(parts) : entry;
}
