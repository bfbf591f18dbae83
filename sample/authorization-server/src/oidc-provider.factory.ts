import { Logger } from '@nestjs/common';
import { type JWKS, type OIDCContext, Provider } from 'oidc-provider';
import type { AuthorizationServerOptions } from './authorization-server-options.js';
import { oidcConfiguration } from './oidc-configuration.js';
import { currentResources, scopesSupported } from './resources.js';
import { addTokenExchange } from './token-exchange.js';

export function createOidcProvider(
  issuer: string,
  options: AuthorizationServerOptions,
  keys: JWKS,
): Provider {
  const provider = new Provider(issuer, oidcConfiguration(issuer, options, keys));
  addTokenExchange(provider, options, keys);
  const logger = new Logger('AuthorizationServer');
  provider.on('server_error', (_ctx, error) => {
    logger.error(error);
  });
  provider.use(introspectByBasicOnly);
  // The scopes of the resources may change while the server runs, so the metadata names them at request time.
  // oidc-provider serves the same document at both well-known addresses.
  provider.use(async (ctx, next) => {
    await next();
    if (routeOf(ctx) === 'discovery') {
      const scopes_supported = scopesSupported(currentResources(options));
      ctx.body = { ...(ctx.body as Record<string, unknown>), scopes_supported };
    }
  });
  return provider;
}

type Middleware = Parameters<Provider['use']>[0];

/**
 * RFC 7662 section 2.1 has callers of introspection authenticate. oidc-provider also takes the client_id of a public
 * client for that, and answers 400 where there is nothing at all; here all of that is 401.
 */
const introspectByBasicOnly: Middleware = async (ctx, next) => {
  await next();
  if (routeOf(ctx) !== 'introspection' || /^basic [^ ]/i.test(ctx.get('authorization'))) return;
  ctx.status = 401;
  ctx.set('WWW-Authenticate', 'Basic realm="introspection"');
  ctx.body = {
    error: 'invalid_client',
    error_description: 'client authentication by HTTP Basic is required',
  };
};

function routeOf(ctx: Parameters<Middleware>[0]): string | undefined {
  return (ctx['oidc'] as OIDCContext | undefined)?.route;
}
