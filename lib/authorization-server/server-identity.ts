import { isFixedSecret } from '../options/secrets.js';
import type {
  ResolvedAuthorizationServerOptions,
  ResolvedIntrospectionOptions,
  ResolvedTokenExchangeOptions,
} from '../options/trusted-authorization-server.interface.js';
import { dataIdentity } from '../platform/data-identity.js';

/** The members of options that are not enumerable. */
type Credentials = Partial<Pick<ResolvedIntrospectionOptions, 'bearerToken'>> &
  Pick<ResolvedIntrospectionOptions | ResolvedTokenExchangeOptions, 'clientSecret' | 'privateKey'>;

/**
 * Returns a text that is equal for servers that are configured alike: see {@link dataIdentity}.
 *
 * @internal
 */
export function serverIdentity(options: ResolvedAuthorizationServerOptions): string {
  // Credentials are not enumerable, so JSON would leave them out.
  const { introspection, tokenExchange } = options;
  const credentials = [introspection, tokenExchange].map((each) => each && credentialsOf(each));
  return dataIdentity([options, credentials]);
}

function credentialsOf({ clientSecret, bearerToken, privateKey }: Credentials): unknown[] {
  const texts = [clientSecret, bearerToken].map((give) => (give && isFixedSecret(give) ? [give()] : give));
  return [...texts, privateKey];
}
