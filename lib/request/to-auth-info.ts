import type { ValidatedToken } from '../policy/validate-claims.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { AuthInfo } from './auth-info.decorator.js';
import { FixedUrl } from './fixed-url.js';

const urls = new WeakMap<ProtectedResource, URL>();

/**
 * Returns the caller of a validated token for handlers. Each request gets a new object, so that the token itself is not stored
 * with a cached result. Its parts are shared by all requests with the same token, and are frozen. The calling code has
 * checked that the sender has what the token is bound to.
 *
 * @internal
 */
export function toAuthInfo(token: string, admitted: ValidatedToken, resource: ProtectedResource): AuthInfo {
  return new RequestAuthInfo(token, admitted, resource);
}

class RequestAuthInfo implements AuthInfo {
  // A private member and a getter on the prototype: JSON.stringify, inspect and spread omit the token.
  readonly #token: string;
  readonly clientId: string;
  readonly scopes: string[];
  declare readonly expiresAt?: number;
  readonly resource: URL;
  readonly tenant: string | undefined;
  readonly resourceMetadataUrl: string;
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly isClientPrincipal: boolean;
  readonly actor: AuthInfo['actor'];
  readonly audience: readonly string[];
  readonly binding: AuthInfo['binding'];
  readonly claims: AuthInfo['claims'];

  constructor(token: string, admitted: ValidatedToken, known: ProtectedResource) {
    freezeParts(admitted);
    this.#token = token;
    this.clientId = admitted.clientId;
    this.scopes = admitted.scopes as string[];
    if (admitted.expiresAt !== undefined) this.expiresAt = admitted.expiresAt;
    this.resource = urlOf(known);
    this.tenant = known.tenant?.id;
    this.resourceMetadataUrl = known.metadataUrl;
    this.issuer = admitted.issuer;
    this.subject = admitted.subject;
    this.isClientPrincipal = admitted.subject === undefined || admitted.subject === admitted.clientId;
    this.actor = admitted.actor;
    this.audience = admitted.audience;
    this.binding = bindingOf(admitted);
    this.claims = admitted.claims;
    Object.freeze(this);
  }

  get token(): string {
    return this.#token;
  }
}

function bindingOf({ confirmation }: ValidatedToken): AuthInfo['binding'] {
  if (!confirmation) return undefined;
  return confirmation.jkt === undefined ? 'x5t#S256' : 'jkt';
}

/** Freezes the parts once for a token: a cached one has frozen parts already. */
function freezeParts({ scopes, audience, claims }: ValidatedToken): void {
  if (Object.isFrozen(scopes)) return;
  Object.freeze(scopes);
  Object.freeze(audience);
  deepFreeze(claims);
}

function urlOf(resource: ProtectedResource): URL {
  const known = urls.get(resource);
  if (known) return known;
  const url = new FixedUrl(resource.options.resource);
  urls.set(resource, url);
  return url;
}

/**
 * Freezes everything that JSON can contain, and leaves other values of a verifier of the application alone. Without recursion:
 * claims may be nested as deep as a token is long.
 */
function deepFreeze(value: unknown): void {
  if (!isPlain(value)) return;
  const nested = freeze(value);
  if (nested.length === 0) return; // as most claims are
  // Grows during the iteration, and contains each object once.
  const found = new Set([value, ...nested]);
  for (const next of found) for (const member of freeze(next)) found.add(member);
}

/** Freezes one object, and returns the objects in it. */
function freeze(value: object): readonly object[] {
  return (Object.values(Object.freeze(value)) as unknown[]).filter(isPlain);
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}
