import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import {
  type AuthorizationServerOptions,
  DEFAULT_ACCESS_TOKEN_LIFETIME_SECONDS,
  type ResourceScopes,
} from './authorization-server-options.js';

/** Scopes that belong to the authorization server itself and not to a resource. */
export const OIDC_SCOPES: readonly string[] = ['openid', 'offline_access'];

const FORMATS = {
  jwt: { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } },
  opaque: { accessTokenFormat: 'opaque' },
} as const;

export function currentResources({
  resources,
}: Pick<AuthorizationServerOptions, 'resources'>): ResourceScopes {
  return typeof resources === 'function' ? resources() : resources;
}

/** The scopes of one resource, or undefined when the resource is not known here. Matched by exact string. */
export function scopesOf(resources: ResourceScopes, identifier: string): readonly string[] | undefined {
  return Object.hasOwn(resources, identifier) ? resources[identifier] : undefined;
}

/** `resource` may be sent once or several times. */
export function toList(resource: unknown): string[] {
  return [resource].flat().filter((item): item is string => typeof item === 'string');
}

export function scopesSupported(resources: ResourceScopes): string[] {
  return [...new Set([...OIDC_SCOPES, ...Object.values(resources).flat()])];
}

/**
 * The settings of `features.resourceIndicators`: which resources exist, and what tokens for them look like.
 */
export function resourceIndicators(options: AuthorizationServerOptions) {
  return {
    enabled: true,
    defaultResource: (ctx: KoaContextWithOIDC, _client: unknown, oneOf?: readonly string[]) => {
      if (oneOf !== undefined) return oneOf.length === 1 ? oneOf[0] : oneOf;
      if (options.defaultResource === undefined) requireResourceUnlessSignInOnly(ctx);
      return options.defaultResource;
    },
    // A token request without `resource` gets a token for the resource of the authorization request.
    useGrantedResource: () => true,
    getResourceServerInfo: (ctx: KoaContextWithOIDC, identifier: string): ResourceServer => {
      const resources = currentResources(options);
      const scopes = scopesOf(resources, identifier);
      if (scopes === undefined) throw new errors.InvalidTarget();
      if (ctx.oidc.route === 'authorization') rejectUnknownScopes(ctx, resources);
      return {
        scope: scopes.join(' '),
        audience: identifier,
        accessTokenTTL: options.accessTokenLifetimeSeconds ?? DEFAULT_ACCESS_TOKEN_LIFETIME_SECONDS,
        ...FORMATS[options.accessTokenFormat ?? 'jwt'],
      };
    },
  };
}

/** Without `resource` only a plain OpenID sign-in makes sense: every other scope belongs to a resource. */
function requireResourceUnlessSignInOnly(ctx: KoaContextWithOIDC): void {
  if (ctx.oidc.route === 'authorization' && !ctx.oidc.requestParamScopes.has('openid')) {
    throw new errors.InvalidTarget('resource indicator is missing');
  }
}

/** oidc-provider would drop unknown scopes in silence; an error tells the developer of a client more. */
function rejectUnknownScopes(ctx: KoaContextWithOIDC, resources: ResourceScopes): void {
  const requested = [...ctx.oidc.requestParamScopes];
  if (requested.length === 0) throw new errors.InvalidScope('scope is missing', '');
  const known = new Set([
    ...OIDC_SCOPES,
    ...toList(ctx.oidc.params?.['resource']).flatMap((resource) => scopesOf(resources, resource) ?? []),
  ]);
  const unknown = requested.filter((scope) => !known.has(scope));
  if (unknown.length > 0) {
    throw new errors.InvalidScope('the resource does not know the requested scope', unknown.join(' '));
  }
}
