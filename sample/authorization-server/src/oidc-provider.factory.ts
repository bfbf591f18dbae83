import { Logger } from '@nestjs/common';
import { type OIDCContext, Provider } from 'oidc-provider';
import { type AuthorizationServerOptions } from './authorization-server-options.js';
import { oidcConfiguration } from './oidc-configuration.js';
import { currentResources, scopesSupported } from './resources.js';

export async function createOidcProvider(
  issuer: string,
  options: AuthorizationServerOptions,
): Promise<Provider> {
  const provider = new Provider(issuer, await oidcConfiguration(issuer, options));
  const logger = new Logger('AuthorizationServer');
  provider.on('server_error', (_ctx, error) => {
    logger.error(error);
  });
  // The scopes of the resources may change while the server runs, so the metadata names them at request time.
  // oidc-provider serves the same document at both well-known addresses.
  provider.use(async (ctx, next) => {
    await next();
    if ((ctx['oidc'] as OIDCContext | undefined)?.route === 'discovery') {
      const scopes_supported = scopesSupported(currentResources(options));
      ctx.body = { ...(ctx.body as Record<string, unknown>), scopes_supported };
    }
  });
  return provider;
}
