import { hash } from 'node:crypto';
import type { ResolvedAuthorizationServerOptions } from '../options/trusted-authorization-server.interface.js';

const identities = new WeakMap<object, number>();
let count = 0;

/**
 * Returns a text that is equal for servers that are configured alike. Functions, and objects that are no data, are alike only if
 * they are the same. It holds no secret.
 *
 * @internal
 */
export function serverIdentity(options: ResolvedAuthorizationServerOptions): string {
  const { introspection } = options;
  // Not enumerable, so JSON leaves them out.
  const secrets = [introspection?.clientSecret, introspection?.bearerToken, introspection?.privateKey];
  const text = JSON.stringify([options, secrets.map((secret) => secret && identityOf(secret))], (_, value) =>
    isNoData(value) ? identityOf(value) : (value as unknown),
  );
  return hash('sha256', text, 'base64url');
}

function isNoData(value: unknown): value is object {
  if (typeof value === 'function' || value instanceof RegExp) return true;
  return typeof (value as { reserve?: unknown } | null | undefined)?.reserve === 'function';
}

function identityOf(value: object): string {
  const known = identities.get(value) ?? ++count;
  identities.set(value, known);
  return `#${String(known)}`;
}
