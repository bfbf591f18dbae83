import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { json } from 'express';
import type { JSONWebKeySet } from 'jose';
import { McpAuthModule } from 'nestjs-mcp-auth';
import type { Provider } from 'oidc-provider';
import { OIDC_PROVIDER, PUBLIC_KEYS } from '../../authorization-server/src/authorization-server-options.js';
import { AuthorizationServerModule } from '../../authorization-server/src/authorization-server.module.js';
import { NotesEndpoint } from '../../quickstart/src/notes.endpoint.js';
import { NotesStore } from '../../quickstart/src/notes.store.js';
import { NotesTools } from '../../quickstart/src/notes.tools.js';
import { ACCESS_TOKENS, ISSUER, PASSWORD, RESOURCE, USERNAME } from './environment.js';
import { byKeys, byLookup } from './own-tokens.js';

const authorizationServer = AuthorizationServerModule.forRoot({
  issuer: ISSUER,
  port: Number(new URL(ISSUER).port),
  resources: { [RESOURCE]: ['notes:read', 'notes:write', 'notes:admin'] },
  defaultResource: RESOURCE,
  accessTokenFormat: ACCESS_TOKENS,
  username: USERNAME,
  password: PASSWORD,
  otherPaths: ['notes', '.well-known/oauth-protected-resource/*path'],
});

@Module({
  imports: [
    authorizationServer,
    McpAuthModule.forRootAsync({
      imports: [authorizationServer],
      inject: [OIDC_PROVIDER, PUBLIC_KEYS],
      useFactory: (provider: Provider, keys: JSONWebKeySet) =>
        ACCESS_TOKENS === 'jwt' ? byKeys(keys) : byLookup(provider),
    }),
  ],
  controllers: [NotesEndpoint, NotesTools],
  providers: [NotesStore],
})
export class AppModule implements NestModule {
  /** The authorization server reads its bodies itself, so that the application has no parser for all of them. */
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(json()).forRoutes(NotesEndpoint);
  }
}
