import {
  Controller,
  type DynamicModule,
  Get,
  type INestApplication,
  Injectable,
  Module,
  type MiddlewareConsumer,
  type ModuleMetadata,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import {
  BearerAuthGuard,
  BearerAuthMiddleware,
  BootstrapDiscoveryError,
  MCP_AUTH_OPTIONS,
  McpAuthConfigError,
  McpAuthModule,
  type McpAuthModuleAsyncOptions,
  type McpAuthModuleOptions,
  type McpAuthOptionsFactory,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { start, startFailure } from '../../fixtures/app.js';
import { listing } from '../../fixtures/config-problems.js';
import { send } from '../../fixtures/http.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES, NOTES_METADATA, offlineResource, PRM } from '../../fixtures/resources.js';
import { bareServer, server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

@Module({ controllers: [NotesController] })
class FeatureModule {}

/** An app whose modules a test puts together itself. */
async function startModules(imports: NonNullable<ModuleMetadata['imports']>): Promise<string> {
  const module = await Test.createTestingModule({ imports }).compile();
  const app: INestApplication = module.createNestApplication({ logger: false });
  closeAfterTest(app);
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

async function rejection(imports: NonNullable<ModuleMetadata['imports']>): Promise<Error> {
  const outcome = await startModules(imports).catch((error: unknown) => error as Error);
  if (typeof outcome === 'string') throw new Error('The app started');
  return outcome;
}

async function statusOf(origin: string, path = '/notes'): Promise<number> {
  return (await send(origin, path)).status;
}

const CONFIG = Symbol('config');

/** Stands for an app's own configuration module. */
@Module({ providers: [{ provide: CONFIG, useValue: { resource: NOTES } }], exports: [CONFIG] })
class ConfigModule {}

@Injectable()
class NotesOptions implements McpAuthOptionsFactory {
  createMcpAuthOptions(): McpAuthModuleOptions {
    return { resources: offlineResource(NOTES) };
  }
}

@Injectable()
class LateOptions implements McpAuthOptionsFactory {
  async createMcpAuthOptions(): Promise<McpAuthModuleOptions> {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return { resources: offlineResource(NOTES) };
  }
}

@Module({ providers: [NotesOptions], exports: [NotesOptions] })
class OptionsModule {}

describe('the forms of the module', () => {
  const FORMS: [string, () => DynamicModule][] = [
    ['forRoot', () => McpAuthModule.forRoot({ resources: offlineResource(NOTES) })],
    [
      'a factory',
      () => McpAuthModule.forRootAsync({ useFactory: () => ({ resources: offlineResource(NOTES) }) }),
    ],
    [
      'a late factory with what it injects',
      () =>
        McpAuthModule.forRootAsync({
          imports: [ConfigModule],
          inject: [CONFIG],
          useFactory: async ({ resource }: { resource: string }) => {
            await new Promise((resolve) => setTimeout(resolve, 10));
            return { resources: offlineResource(resource) };
          },
        }),
    ],
    ['a class', () => McpAuthModule.forRootAsync({ useClass: NotesOptions })],
    ['a late class', () => McpAuthModule.forRootAsync({ useClass: LateOptions })],
    [
      'an existing provider',
      () => McpAuthModule.forRootAsync({ imports: [OptionsModule], useExisting: NotesOptions }),
    ],
  ];

  verifies('F88', 'protect and publish the same', async () => {
    const documents = new Set<string>();
    for (const [, form] of FORMS) {
      const origin = await startModules([form(), FeatureModule]);
      const { status, headers } = await send(origin, '/notes');
      expect([status, headers['www-authenticate']]).toEqual([
        401,
        `Bearer resource_metadata="${NOTES_METADATA}"`,
      ]);
      documents.add((await send(origin, `${PRM}/notes`)).text);
    }
    expect(documents.size).toBe(1);
  });

  verifies('F88', 'reject the same mistake in the same words', async () => {
    const options = { resources: { ...offlineResource(NOTES), audiance: NOTES } };
    @Injectable()
    class WrongOptions implements McpAuthOptionsFactory {
      createMcpAuthOptions(): McpAuthModuleOptions {
        return options;
      }
    }
    @Module({ providers: [WrongOptions], exports: [WrongOptions] })
    class WrongModule {}
    const forms = [
      McpAuthModule.forRoot(options),
      McpAuthModule.forRootAsync({ useFactory: () => Promise.resolve(options) }),
      McpAuthModule.forRootAsync({ useClass: WrongOptions }),
      McpAuthModule.forRootAsync({ imports: [WrongModule], useExisting: WrongOptions }),
    ];
    for (const form of forms) {
      const error = await rejection([form]);
      expect(error).toBeInstanceOf(McpAuthConfigError);
      expect(error.message).toBe(
        listing('resources[0].audiance: is not an option. Did you mean "audience"?'),
      );
    }
  });

  verifies('F88', 'fail startup with the error that a factory throws', async () => {
    const reason = new Error('the configuration service is down');
    const factories: McpAuthModuleAsyncOptions[] = [
      { useFactory: () => Promise.reject(reason) },
      {
        useFactory: () => {
          throw reason;
        },
      },
    ];
    for (const options of factories) {
      expect(await rejection([McpAuthModule.forRootAsync(options)])).toBe(reason);
    }
  });

  it('reject a factory that returns no object', async () => {
    for (const [given, found] of [
      [undefined, 'undefined'],
      [null, 'null'],
      ['options', 'string'],
    ]) {
      const useFactory = (() => given) as unknown as () => McpAuthModuleOptions;
      const error = await rejection([McpAuthModule.forRootAsync({ useFactory })]);
      expect(error.message).toBe(listing(`options: must be an object; got ${found!}`));
    }
  });

  it('ask the authorization servers when the app starts, not before', async () => {
    const as = await bareServer();
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const module = await Test.createTestingModule({
      imports: [McpAuthModule.forRootAsync({ useFactory: () => ({ resources }) })],
    }).compile();
    expect(as.paths).toEqual([]);
    await expect(module.createNestApplication({ logger: false }).init()).rejects.toThrow(
      BootstrapDiscoveryError,
    );
    expect(as.paths).toHaveLength(2);
  });
});

describe('several modules in one application', () => {
  const TWICE =
    'is configured 2 times in this application; call forRoot() or forRootAsync() once, with all resources in the list ' +
    '"resources", and import the module that it returns only in the root module';

  const forms = (resource: string): DynamicModule[] => {
    const options = { resources: offlineResource(resource) };
    return [
      McpAuthModule.forRoot(options),
      McpAuthModule.forRoot({ ...options, isGlobal: false }),
      McpAuthModule.forRootAsync({ useFactory: () => options }),
    ];
  };

  verifies('WAY-22', 'fail startup, whatever their forms and resources', async () => {
    for (const other of [NOTES, ADMIN]) {
      for (const [index, form] of forms(NOTES).entries()) {
        for (const second of forms(other)) {
          @Module({ imports: [second] })
          class AdminModule {}
          const error = await rejection([form, AdminModule]);
          expect([index, error.message]).toEqual([index, listing(`McpAuthModule: ${TWICE}`)]);
          expect(error).toBeInstanceOf(McpAuthConfigError);
        }
      }
    }
    const first = forms(NOTES);
    const { message } = await rejection(first);
    expect(message).toBe(listing(`McpAuthModule: ${TWICE.replace('2', '3')}`));
  });

  verifies('WAY-22', 'fail startup of an application without HTTP', async () => {
    @Module({ imports: [...forms(NOTES).slice(0, 1), ...forms(ADMIN).slice(0, 1)] })
    class AppModule {}
    const application = NestFactory.createApplicationContext(AppModule, {
      logger: false,
      abortOnError: false,
    });
    await expect(application).rejects.toThrow(TWICE);
  });

  verifies(
    'WAY-22',
    'count as one if modules import the same, or if each belongs to an application of its own',
    async () => {
      for (const form of forms(NOTES)) {
        @Module({ imports: [form], controllers: [NotesController] })
        class ImportingModule {}
        @Module({ imports: [form] })
        class AdminModule {}
        const origin = await startModules([form, ImportingModule, AdminModule]);
        // Another application of the same process, while the first one runs.
        const other = await startModules([form, ImportingModule]);
        expect([await statusOf(origin), await statusOf(other)]).toEqual([401, 401]);
      }
    },
  );
});

describe('an application without the module', () => {
  verifies('WAY-24', 'fails startup with advice to import the module, whatever needs it', async () => {
    @Controller('scoped')
    class Scoped {
      @Get()
      @RequireScopes('notes:read')
      read(): string {
        return 'notes';
      }
    }
    @Module({ controllers: [Scoped] })
    class ScopedModule {}
    @Module({})
    class MiddlewareModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(BearerAuthMiddleware).forRoutes('notes');
      }
    }
    @Module({ providers: [{ provide: APP_GUARD, useClass: BearerAuthGuard }] })
    class GlobalGuardModule {}
    class OwnGuard extends BearerAuthGuard {}
    @Module({ providers: [{ provide: APP_GUARD, useClass: OwnGuard }] })
    class OwnGuardModule {}
    const notGlobal = McpAuthModule.forRoot({ resources: offlineResource(NOTES), isGlobal: false });
    for (const module of [FeatureModule, ScopedModule, MiddlewareModule, GlobalGuardModule, OwnGuardModule]) {
      for (const imports of [[module], [notGlobal, module]]) {
        const { message } = await rejection(imports);
        // Nest 12 puts such names in quotation marks.
        expect(message.replaceAll('"', '')).toContain(
          `is that module imported within ${module.name}?\n  @Module({\n    imports: [ /* the Module containing McpAuthModule.forRoot() */ ]`,
        );
      }
      await startModules([McpAuthModule.forRoot({ resources: offlineResource(NOTES) }), module]);
    }
  });
});

describe('isGlobal', () => {
  const options = { resources: offlineResource(NOTES) };
  const async = { useFactory: () => options };

  verifies('F88', 'is the default: a feature module needs no import', async () => {
    const forms = [
      McpAuthModule.forRoot(options),
      McpAuthModule.forRoot({ ...options, isGlobal: true }),
      McpAuthModule.forRootAsync(async),
      McpAuthModule.forRootAsync({ ...async, isGlobal: true }),
    ];
    for (const form of forms) expect(await statusOf(await startModules([form, FeatureModule]))).toBe(401);
  });

  verifies('F88', 'can be switched off: then a feature module imports what it uses', async () => {
    const forms = [
      McpAuthModule.forRoot({ ...options, isGlobal: false }),
      McpAuthModule.forRootAsync({ ...async, isGlobal: false }),
    ];
    for (const form of forms) {
      const error = await rejection([form, FeatureModule]);
      expect(error.message).toContain("Nest can't resolve dependencies of the BearerAuthGuard");

      @Module({ imports: [form], controllers: [NotesController] })
      class ImportingModule {}
      const origin = await startModules([form, ImportingModule]);
      expect([await statusOf(origin), await statusOf(origin, `${PRM}/notes`)]).toEqual([401, 200]);
    }
  });
});

describe('options with mistakes', () => {
  const wrong = (options: unknown): Promise<Error> => startFailure(options as McpAuthModuleOptions);

  verifies(['OPS-09', 'F88'], 'are rejected in one message that lists all mistakes', async () => {
    const error = await wrong({
      resources: {
        resource: 'http://api.example.com/notes',
        authorizationServers: [{ issuer: 'https://as.example', type: 'openid' }],
        audiance: NOTES,
      },
      clockToleranceSeconds: 301,
    });
    expect(error).toBeInstanceOf(McpAuthConfigError);
    expect(error.message).toBe(
      listing(
        'resources[0].audiance: is not an option. Did you mean "audience"?',
        'resources[0].resource: uses http for another machine; use https; got "http://api.example.com/notes"',
        'resources[0].authorizationServers[0].type: must be one of auto, oauth, oidc; got "openid"',
        'clockToleranceSeconds: must be a whole number of seconds from 0 to 300; got 301',
      ),
    );
    expect((error as McpAuthConfigError).problems.map(({ path }) => path)).toEqual([
      'resources[0].audiance',
      'resources[0].resource',
      'resources[0].authorizationServers[0].type',
      'clockToleranceSeconds',
    ]);
    expect(error).toMatchObject({ name: 'McpAuthConfigError', code: 'ERR_MCP_AUTH_CONFIG' });
  });

  verifies('OPS-09', 'are rejected for each of several resources', async () => {
    const error = await wrong({
      resources: [
        { ...offlineResource(NOTES), audience: '' },
        offlineResource(ADMIN),
        { ...offlineResource('https://api.example.com/files?x=1'), requiredScopes: ['a b'] },
      ],
    });
    expect(error.message).toBe(
      listing(
        'resources[0].audience: must be a non-empty string; got ""',
        'resources[2].resource: has a query; leave out "?" and what follows; got "https://api.example.com/files?x=1"',
        'resources[2].requiredScopes: member 0 must be one scope: printable ASCII without space, quote and backslash; got a list of 1',
      ),
    );
  });

  verifies('OPS-09', 'are rejected for a key that is one letter off, at every level', async () => {
    const resource = offlineResource(NOTES);
    const server = { issuer: 'https://as.example', isuer: 'https://as.example' };
    const cases: [unknown, string][] = [
      [
        { resources: resource, discoveryTimeoutMS: 1000 },
        'discoveryTimeoutMS: is not an option. Did you mean "discoveryTimeoutMs"?',
      ],
      [
        { resources: { ...resource, requiredScope: [] } },
        'resources[0].requiredScope: is not an option. Did you mean "requiredScopes"?',
      ],
      [
        { resources: { ...resource, authorizationServers: [server] } },
        'resources[0].authorizationServers[0].isuer: is not an option. Did you mean "issuer"?',
      ],
      [{ resources: resource, verbose: true }, 'verbose: is not an option.'],
    ];
    for (const [options, problem] of cases) expect((await wrong(options)).message).toBe(listing(problem));
    await start({ resources: resource, discoveryTimeoutMs: 1000 });
  });

  it('are rejected before any authorization server is asked', async () => {
    const as = await server();
    const good = { resource: NOTES, authorizationServers: [as.issuer] };
    await wrong({ resources: good, nonsense: 1 });
    expect(as.paths).toEqual([]);
    await start({ resources: good });
    expect(as.paths).toHaveLength(1);
  });

  it('are frozen once they are valid, and can be injected', async () => {
    const { app } = await start({ resources: offlineResource(NOTES) });
    const resolved: unknown = app.get(MCP_AUTH_OPTIONS);
    expect(resolved).toMatchObject({ discoveryTimeoutMs: 15_000, resources: [{ resource: NOTES }] });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  it('says that an asynchronous configuration needs exactly one of its forms', () => {
    const message = (form: McpAuthModuleAsyncOptions): string => {
      try {
        McpAuthModule.forRootAsync(form);
        return 'authenticated';
      } catch (error) {
        return error instanceof McpAuthConfigError ? error.message : String(error);
      }
    };
    const useFactory = () => ({ resources: offlineResource(NOTES) });
    const prefix =
      'McpAuthModule has 1 problem:\n  - forRootAsync(): needs exactly one of useFactory, useClass, useExisting; got ';
    class Factory implements McpAuthOptionsFactory {
      createMcpAuthOptions = useFactory;
    }
    expect(message({ useFactory })).toBe('authenticated');
    expect(message({})).toBe(`${prefix}none`);
    expect(message({ useFactory, useClass: Factory })).toBe(`${prefix}useFactory and useClass`);
  });
});
