import { hash } from 'node:crypto';
import { isFixedSecret } from '../options/secrets.js';
import type {
  ResolvedAuthorizationServerOptions,
  ResolvedIntrospectionOptions,
  ResolvedTokenExchangeOptions,
} from '../options/trusted-authorization-server.interface.js';

/** The members of options that are not enumerable. */
type Credentials = Partial<Pick<ResolvedIntrospectionOptions, 'bearerToken'>> &
  Pick<ResolvedIntrospectionOptions | ResolvedTokenExchangeOptions, 'clientSecret' | 'privateKey'>;

const identities = new WeakMap<object, string>();
let count = 0;

/**
 * Returns a text that is equal for servers that are configured alike. Functions are alike only if they are the same, and so
 * are stores.
 * It is a hash, so it discloses no secret.
 *
 * @internal
 */
export function serverIdentity(options: ResolvedAuthorizationServerOptions): string {
  // Credentials are not enumerable, so JSON would leave them out.
  const { introspection, tokenExchange } = options;
  const credentials = [introspection, tokenExchange].map((each) => each && credentialsOf(each));
  const text = JSON.stringify([options, credentials], (_, value: unknown) => {
    if (value instanceof RegExp) return String(value);
    return typeof value === 'function' ? identityOf(value) : value;
  });
  return hash('sha256', text, 'base64url');
}

function credentialsOf({ clientSecret, bearerToken, privateKey }: Credentials): unknown[] {
  const texts = [clientSecret, bearerToken].map((give) => (give && isFixedSecret(give) ? [give()] : give));
  return [...texts, privateKey];
}

function identityOf(value: object): string {
  const known = identities.get(value) ?? `function ${String(++count)}`;
  identities.set(value, known);
  return known;
}
