import { AccessDeniedError } from '../errors/rejection.errors.js';
import type { ResolvedAllowedClientsOptions } from '../options/resolved-options.interface.js';

/**
 * Rejects a caller whose client the resource does not allow. A caller without a client is rejected too.
 *
 * @param caller - `clientId` is empty if the token names no client
 * @param allowed - undefined if the resource allows every client
 * @throws {@link AccessDeniedError} `client`
 * @internal
 */
export function assertClientAllowed(
  { clientId }: { readonly clientId: string },
  allowed: ResolvedAllowedClientsOptions | undefined,
): void {
  if (!allowed || allowed.clientIds.includes(clientId)) return;
  // A transport in plain JavaScript may supply anything as a caller.
  const id: unknown = clientId;
  // Each ends with the slash that ends the authority, so no user name, port or longer host can follow.
  const isOfOrigin = typeof id === 'string' && allowed.origins.some((origin) => id.startsWith(origin));
  if (!isOfOrigin) throw new AccessDeniedError('client');
}
