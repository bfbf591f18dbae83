import { hash } from 'node:crypto';
import { isFixedSecret } from '../options/secrets.js';
import type {
  ResolvedAuthorizationServerOptions,
  ResolvedIntrospectionOptions,
} from '../options/trusted-authorization-server.interface.js';

const identities = new WeakMap<object, string>();
let count = 0;

/**
 * Returns a text that is equal for servers that are configured alike. Functions and stores are alike only if they are the same.
 * It is a hash, so it discloses no secret.
 *
 * @internal
 */
export function serverIdentity(options: ResolvedAuthorizationServerOptions): string {
  // Credentials are not enumerable, so JSON would leave them out.
  const credentials = options.introspection && credentialsOf(options.introspection);
  const text = JSON.stringify([options, credentials], (_, value: unknown) => {
    if (value instanceof RegExp) return String(value);
    return isNoData(value) ? identityOf(value) : value;
  });
  return hash('sha256', text, 'base64url');
}

function credentialsOf({ clientSecret, bearerToken, privateKey }: ResolvedIntrospectionOptions): unknown[] {
  const texts = [clientSecret, bearerToken].map((give) => (give && isFixedSecret(give) ? [give()] : give));
  return [...texts, privateKey];
}

function isNoData(value: unknown): value is object {
  if (typeof value === 'function') return true;
  return typeof (value as { reserve?: unknown } | null | undefined)?.reserve === 'function';
}

function identityOf(value: object): string {
  const known = identities.get(value) ?? `function ${String(++count)}`;
  identities.set(value, known);
  return known;
}
