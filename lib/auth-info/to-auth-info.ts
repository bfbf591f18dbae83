import { type AdmittedToken } from '../gate/admit.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { type AuthInfo } from './auth-info.decorator.js';

/** What handlers see of an admitted token. @internal */
export function toAuthInfo(token: string, admitted: AdmittedToken, resource: KnownResource): AuthInfo {
  const { issuer, subject, clientId, scopes, expiresAt, audience, claims } = admitted;
  const info = {
    clientId,
    scopes: Object.freeze([...scopes]),
    expiresAt,
    resource: new URL(resource.options.resource),
    resourceMetadataUrl: resource.metadataUrl,
    issuer,
    subject,
    audience: Object.freeze([...audience]),
    claims: deepFreeze(claims),
  };
  // Not enumerable, so that JSON.stringify, inspect and spread leave the token out.
  Object.defineProperty(info, 'token', { value: token, enumerable: false });
  return Object.freeze(info) as unknown as AuthInfo;
}

/** Without recursion: claims may be nested as deep as a token is long. */
function deepFreeze<T>(value: T): T {
  const pending: unknown[] = [value];
  const seen = new Set<object>();
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    if (ArrayBuffer.isView(next)) continue; // bytes cannot be frozen
    seen.add(next);
    pending.push(...(Object.values(Object.freeze(next)) as unknown[]));
  }
  return value;
}
