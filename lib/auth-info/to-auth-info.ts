import { type AdmittedToken } from '../gate/admit.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { type AuthInfo } from './auth-info.decorator.js';
import { FixedUrl } from './fixed-url.js';

/** The parts that are made once, cannot be changed, and are shared by all requests with the same token. */
type SharedParts = Pick<AuthInfo, 'scopes' | 'audience' | 'claims' | 'resource'>;

const sharedParts = new WeakMap<AdmittedToken, SharedParts>();

/**
 * What handlers see of an admitted token. The object is made anew for each request, so that the token itself is not
 * kept with a remembered decision.
 *
 * @internal
 */
export function toAuthInfo(token: string, admitted: AdmittedToken, resource: KnownResource): AuthInfo {
  return new RequestAuthInfo(token, admitted, resource);
}

class RequestAuthInfo implements AuthInfo {
  // A private member and a getter on the prototype: JSON.stringify, inspect and spread leave the token out.
  readonly #token: string;
  readonly clientId: string;
  readonly scopes: string[];
  declare readonly expiresAt?: number;
  readonly resource: URL;
  readonly resourceMetadataUrl: string;
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
  readonly claims: AuthInfo['claims'];

  constructor(token: string, admitted: AdmittedToken, { options, metadataUrl }: KnownResource) {
    const { scopes, audience, claims, resource } = sharedPartsOf(admitted, options.resource);
    this.#token = token;
    this.clientId = admitted.clientId;
    this.scopes = scopes;
    if (admitted.expiresAt !== undefined) this.expiresAt = admitted.expiresAt;
    this.resource = resource;
    this.resourceMetadataUrl = metadataUrl;
    this.issuer = admitted.issuer;
    this.subject = admitted.subject;
    this.audience = audience;
    this.claims = claims;
    Object.freeze(this);
  }

  get token(): string {
    return this.#token;
  }
}

function sharedPartsOf(admitted: AdmittedToken, resource: string): SharedParts {
  const known = sharedParts.get(admitted);
  if (known) return known;
  const parts: SharedParts = {
    scopes: Object.freeze([...admitted.scopes]) as string[],
    audience: Object.freeze([...admitted.audience]),
    claims: deepFreeze(admitted.claims),
    resource: new FixedUrl(resource),
  };
  sharedParts.set(admitted, parts);
  return parts;
}

/**
 * Freezes what JSON can hold, and leaves alone what else a verifier of the application may have put there. Without
 * recursion: claims may be nested as deep as a token is long.
 */
function deepFreeze<T>(value: T): T {
  const pending: unknown[] = [value];
  const seen = new Set<object>();
  while (pending.length > 0) {
    const next = pending.pop();
    if (!isPlain(next) || seen.has(next)) continue;
    seen.add(next);
    pending.push(...(Object.values(Object.freeze(next)) as unknown[]));
  }
  return value;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}
