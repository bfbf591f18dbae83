import { type DynamicModule, Inject, type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { urlencoded } from 'express';
import type { JWKS, Provider } from 'oidc-provider';
import {
  AUTHORIZATION_SERVER_OPTIONS,
  type AuthorizationServerOptions,
  OIDC_PROVIDER,
  PUBLIC_KEYS,
  SIGNING_KEYS,
} from './authorization-server-options.js';
import { ConsentService } from './consent.service.js';
import { InteractionController } from './interaction.controller.js';
import { createOidcProvider } from './oidc-provider.factory.js';
import { generateSigningKeys, publicPart } from './signing-keys.js';
import { SignInService } from './sign-in.service.js';

export type AuthorizationServerModuleOptions = AuthorizationServerOptions & {
  /** The issuer identifier: the address of this server, without a path. */
  issuer: string;
  /** Paths that other modules of the application answer, as Nest writes them for middleware. None unless told otherwise. */
  otherPaths?: readonly string[];
};

/**
 * oidc-provider answers everything except the pages below /interaction and what belongs to other modules. The app has to be created with
 * `bodyParser: false`, because oidc-provider reads request bodies itself. Throws while NODE_ENV is `production`.
 */
@Module({ controllers: [InteractionController], providers: [SignInService, ConsentService] })
export class AuthorizationServerModule implements NestModule {
  constructor(
    @Inject(OIDC_PROVIDER) private readonly provider: Provider,
    @Inject(AUTHORIZATION_SERVER_OPTIONS) private readonly options: AuthorizationServerModuleOptions,
  ) {}

  static forRoot(options: AuthorizationServerModuleOptions): DynamicModule {
    if (process.env['NODE_ENV'] === 'production') {
      throw new Error(
        'This authorization server is a sample: it does not start while NODE_ENV is "production".',
      );
    }
    return {
      module: AuthorizationServerModule,
      providers: [
        { provide: AUTHORIZATION_SERVER_OPTIONS, useValue: options },
        { provide: SIGNING_KEYS, useFactory: generateSigningKeys },
        { provide: PUBLIC_KEYS, inject: [SIGNING_KEYS], useFactory: publicPart },
        {
          provide: OIDC_PROVIDER,
          inject: [SIGNING_KEYS],
          useFactory: (keys: JWKS) => createOidcProvider(options.issuer, options, keys),
        },
      ],
      exports: [OIDC_PROVIDER, PUBLIC_KEYS],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(urlencoded({ extended: false, limit: '10kb' })).forRoutes(InteractionController);
    consumer
      .apply(this.provider.callback())
      .exclude('interaction/*path', ...(this.options.otherPaths ?? []))
      .forRoutes('/');
  }
}
