import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Injectable,
  Module,
  Post,
  RequestMethod,
  SetMetadata,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
  type VersioningOptions,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, Reflector, RouterModule } from '@nestjs/core';
import { McpController, Tool } from '@rekog/mcp-nest';
import { describe, expect, it } from 'vitest';
import {
  BearerAuthGuard,
  type McpAuthModuleExtras,
  ProtectedResource,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import {
  type AppParts,
  defaultPlatform,
  RecordingLogger,
  type RunningApp,
  start,
} from '../../fixtures/app.js';
import { ADMIN, NOTES, offlineResource, ORIGIN, PRM } from '../../fixtures/resources.js';
import { besidesUnprotected } from '../../fixtures/unprotected.js';
import { verifies } from '../../verifies.js';

@McpController()
class Tools {
  @Tool({ name: 'list', description: 'List', parameters: z.object({}) })
  list(): void {
    return undefined;
  }
}

/** A guarded route that takes POST, as an MCP endpoint does. */
function endpointAt(path: string, options: { resource?: string; version?: string } = {}): Type {
  @Controller({ path, ...(options.version !== undefined && { version: options.version }) })
  @UseGuards(BearerAuthGuard)
  class Endpoint {
    @Post()
    run(): void {
      return undefined;
    }
  }
  if (options.resource !== undefined) ProtectedResource(options.resource)(Endpoint);
  return Endpoint;
}

async function warnings(
  resource: string | string[],
  parts: AppParts,
  prepare?: AppParts['prepare'],
  more: object = {},
): Promise<readonly string[]> {
  const log = new RecordingLogger();
  const resources = [resource].flat().map((each) => offlineResource(each));
  await start({ resources, ...more }, { ...parts, log, prepare });
  return besidesUnprotected(log.warnings);
}

function misplaced(resource: string, path: string): string {
  return (
    `${resource}: no guarded route stands at ${path}; clients reject a resource that differs from the URL that people ` +
    'type, so write the URL of the endpoint, unless a proxy rewrites the path'
  );
}

describe('a guarded route at a path other than that of its resource', () => {
  verifies('PRM-64', 'is named in a warning if it is the MCP endpoint', async () => {
    const mcp = (path: string): AppParts => ({ controllers: [endpointAt(path), Tools] });
    expect(await warnings(ORIGIN, mcp('mcp'))).toEqual([misplaced(ORIGIN, '/')]);
    expect(await warnings(NOTES, mcp('mcp'))).toEqual([misplaced(NOTES, '/notes')]);
    expect(await warnings(NOTES, mcp('notes/mcp'))).toEqual([misplaced(NOTES, '/notes')]);
    expect(await warnings(ORIGIN, mcp(''))).toEqual([]);
    const anything = defaultPlatform === 'fastify' ? '*' : '*any';
    for (const path of ['notes', '/notes/', ':name', anything])
      expect(await warnings(NOTES, mcp(path))).toEqual([]);
  });

  verifies(
    'PRM-64',
    'is named in a warning without MCP tools too, if no route is at or below the path of its resource',
    async () => {
      const rest = (path: string): AppParts => ({ controllers: [endpointAt(path)] });
      expect(await warnings(NOTES, rest('note'))).toEqual([misplaced(NOTES, '/notes')]);
      expect(await warnings(NOTES, rest('v1/notes'))).toEqual([misplaced(NOTES, '/notes')]);
      for (const path of ['notes', 'notes/all', 'NOTES/:id'])
        expect(await warnings(NOTES, rest(path))).toEqual([]);
      expect(await warnings(ORIGIN, rest('anything'))).toEqual([]);
    },
  );

  verifies('PRM-64', 'is recognized behind a global prefix, a version and a module path', async () => {
    const at = (path: string): string => `${ORIGIN}${path}`;
    const mcp: AppParts = { controllers: [endpointAt('mcp', { version: '2' }), Tools] };
    const prefixed: AppParts['prepare'] = (nest) => {
      nest.setGlobalPrefix('api');
      nest.enableVersioning({ type: VersioningType.URI });
    };
    expect(await warnings(at('/api/v2/mcp'), mcp, prefixed)).toEqual([]);
    for (const path of ['/mcp', '/v2/mcp', '/api/v3/mcp', '/v2/api/mcp', '/api']) {
      expect(await warnings(at(path), mcp, prefixed)).toEqual([misplaced(at(path), path)]);
    }
    @Module({ controllers: [endpointAt('mcp'), Tools] })
    class Inner {}
    const routed: AppParts = { imports: [Inner, RouterModule.register([{ path: 'inner', module: Inner }])] };
    expect(await warnings(at('/inner/mcp'), routed)).toEqual([]);
    expect(await warnings(at('/mcp'), routed)).toEqual([misplaced(at('/mcp'), '/mcp')]);
  });

  const versioned = (resource: string, path: string, real: string): string =>
    `${misplaced(resource, path)}; URI versioning puts the route at ${real}: write that path into the resource, or give ` +
    'the controller version: VERSION_NEUTRAL';

  verifies('WAY-21', 'is named in a warning if URI versioning moves it', async () => {
    const at = (path: string): string => `${ORIGIN}${path}`;
    const uri: VersioningOptions = { type: VersioningType.URI, defaultVersion: '1' };
    const [v1, api] = ['/v1/mcp', '/api/v1/mcp'];
    type Version = string | typeof VERSION_NEUTRAL | (string | typeof VERSION_NEUTRAL)[];
    const cases: [
      VersioningOptions | undefined,
      Version | undefined,
      string,
      right: string[],
      hints: boolean,
    ][] = [
      [uri, undefined, '', [v1], true],
      [uri, undefined, 'api', [api], true],
      [uri, '2', 'api', ['/api/v2/mcp'], true],
      [uri, ['2', '3'], 'api', ['/api/v2/mcp', '/api/v3/mcp'], true],
      [uri, ['2', VERSION_NEUTRAL], 'api', ['/api/v2/mcp', '/api/mcp'], false],
      [uri, VERSION_NEUTRAL, 'api', ['/api/mcp'], false],
      [{ ...uri, prefix: 'version-' }, undefined, '', ['/version-1/mcp'], true],
      [{ ...uri, prefix: false }, undefined, '', ['/1/mcp'], true],
      [{ ...uri, defaultVersion: ['1', '2'] }, undefined, '', [v1, '/v2/mcp'], true],
      [{ ...uri, defaultVersion: VERSION_NEUTRAL }, undefined, '', ['/mcp'], false],
      [{ type: VersioningType.URI }, undefined, 'api', ['/api/mcp'], false],
      [
        { type: VersioningType.HEADER, header: 'x-v', defaultVersion: '1' },
        undefined,
        'api',
        ['/api/mcp'],
        false,
      ],
      [{ type: VersioningType.CUSTOM, extractor: () => '1' }, '1', '', ['/mcp'], false],
      [undefined, '2', '', ['/mcp'], false],
    ];
    const everywhere = ['/mcp', '/api/mcp', v1, api, '/api/v2/mcp', '/version-1/mcp', '/1/mcp'];
    for (const [index, [versioning, version, prefix, right, hints]] of cases.entries()) {
      @Controller({ path: 'mcp', ...(version !== undefined && { version }) })
      @UseGuards(BearerAuthGuard)
      class Endpoint {
        @Post()
        run(): void {
          return undefined;
        }
      }
      const prepare: AppParts['prepare'] = (nest) => {
        if (versioning) nest.enableVersioning(versioning);
        if (prefix !== '') nest.setGlobalPrefix(prefix);
      };
      const parts = { controllers: [Endpoint, Tools] };
      for (const path of new Set([...right, ...everywhere])) {
        const unversioned = prefix === '' ? '/mcp' : `/${prefix}/mcp`;
        const wrong =
          hints && path === unversioned
            ? versioned(at(path), path, right.join(' and '))
            : misplaced(at(path), path);
        const said = await warnings(at(path), parts, prepare);
        expect([index, path, said]).toEqual([index, path, right.includes(path) ? [] : [wrong]]);
      }
      // What is said of it holds.
      const app = await start({ resources: offlineResource(at(right[0]!)) }, { ...parts, prepare });
      const headers = { 'x-v': '1' };
      for (const path of right) expect((await app.send(path, { method: 'POST', headers })).status).toBe(401);
      const others = everywhere.filter((path) => !right.includes(path));
      for (const path of others) expect((await app.send(path, { method: 'POST', headers })).status).toBe(404);
    }
  });

  verifies('WAY-21', 'is named in a warning behind a global prefix with exceptions', async () => {
    const mcp: AppParts = { controllers: [endpointAt('mcp'), Tools] };
    const excluding =
      (...exclude: (string | { path: string; method: RequestMethod })[]): AppParts['prepare'] =>
      (nest) => {
        nest.setGlobalPrefix('api', { exclude });
        nest.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      };
    const [excluded, prefixed] = [`${ORIGIN}/v1/mcp`, `${ORIGIN}/api/v1/mcp`];
    const post = { path: 'mcp', method: RequestMethod.POST };
    for (const exclude of ['mcp', post]) {
      expect(await warnings(excluded, mcp, excluding(exclude))).toEqual([]);
      expect(await warnings(prefixed, mcp, excluding(exclude))).toEqual([misplaced(prefixed, '/api/v1/mcp')]);
    }
    const get = { path: 'mcp', method: RequestMethod.GET };
    for (const exclude of ['mcps', get]) {
      expect(await warnings(prefixed, mcp, excluding(exclude))).toEqual([]);
      expect(await warnings(excluded, mcp, excluding(exclude))).toEqual([misplaced(excluded, '/v1/mcp')]);
    }
  });

  verifies('PRM-64', 'is named in a warning for its own resource only', async () => {
    const controllers = [
      endpointAt('notes', { resource: NOTES }),
      endpointAt('administration', { resource: ADMIN }),
    ];
    expect(await warnings([NOTES, ADMIN], { controllers })).toEqual([misplaced(ADMIN, '/admin')]);
  });

  verifies('PRM-64', 'causes no warning if no guard covers it', async () => {
    @Controller('open')
    class Open {
      @Get()
      read(): void {
        return undefined;
      }
    }
    @Controller('skipped')
    @SkipBearerAuth()
    class Skipped extends Open {}
    const controllers = [Open, Skipped];
    expect(await warnings(NOTES, { controllers })).toEqual([]);
    const providers = [{ provide: APP_GUARD, useClass: BearerAuthGuard }];
    expect(await warnings(NOTES, { controllers: [Skipped], providers })).toEqual([]);
    expect(await warnings(NOTES, { controllers, providers })).toEqual([misplaced(NOTES, '/notes')]);
    const early = { earlyAuthentication: true };
    expect(await warnings(NOTES, { controllers, providers }, undefined, early)).toEqual([]);
  });
});

describe('a global guard of the application', () => {
  const OPEN = 'open-to-all';

  @Injectable()
  class HouseGuard implements CanActivate {
    constructor(private readonly reflector: Reflector) {}

    canActivate(context: ExecutionContext): boolean {
      const targets = [context.getHandler(), context.getClass()];
      if (this.reflector.getAllAndOverride(OPEN, targets) === true) return true;
      throw new ForbiddenException();
    }
  }

  function told(name: string): string {
    return (
      `the global guard ${name} decides on the well-known documents too, which are for everybody; exempt them by ` +
      '"decorators", an empty list where it lets them pass'
    );
  }

  /** An app with the module imported as applications do, for its extras. */
  async function open(
    extras: McpAuthModuleExtras,
    guards: AppParts['providers'],
    prepare?: AppParts['prepare'],
  ): Promise<{ app: RunningApp; warnings: readonly string[] }> {
    const log = new RecordingLogger();
    const options = { resources: offlineResource(NOTES), ...extras };
    const app = await start(options, {
      providers: guards ?? [],
      log,
      prepare,
    });
    return { app, warnings: besidesUnprotected(log.warnings) };
  }

  const house = { provide: APP_GUARD, useClass: HouseGuard };

  verifies(
    ['PRM-40', 'F39'],
    'is named in a warning if it may reject requests for the documents',
    async () => {
      const { app, warnings: said } = await open({}, [house]);
      expect(said).toEqual([told('HouseGuard')]);
      expect((await app.send(`${PRM}/notes`)).status).toBe(403);
      const passing = { canActivate: () => true };
      const inMain = await open({}, [], (nest) => {
        nest.useGlobalGuards(
          passing,
          new (class LateGuard {
            canActivate(): boolean {
              return true;
            }
          })(),
        );
      });
      expect(inMain.warnings).toEqual([told('Object'), told('LateGuard')]);
    },
  );

  verifies(
    ['PRM-40', 'F39'],
    'lets the documents pass by the decorators that the application gives',
    async () => {
      const { app, warnings: said } = await open({ decorators: [SetMetadata(OPEN, true)] }, [house]);
      expect(said).toEqual([]);
      expect((await app.send(`${PRM}/notes`)).json).toMatchObject({ resource: NOTES });
      expect((await app.send(`${PRM}/note`)).status).toBe(404);
    },
  );

  it('is not named if it is the guard of the package, or if the application says that it needs no decorator', async () => {
    class OwnGuard extends BearerAuthGuard {}
    for (const useClass of [BearerAuthGuard, OwnGuard]) {
      expect((await open({}, [{ provide: APP_GUARD, useClass }])).warnings).toEqual([]);
    }
    expect((await open({ decorators: [] }, [house])).warnings).toEqual([]);
  });
});

describe('sessions that a replica or a caller does not find again', () => {
  const SECRETS = { sessionBinding: { secrets: ['s'.repeat(43)] } };
  const UNSHARED =
    'the option "replicas" is "several" and "sessionBinding" has no "secrets", so only the process that opened a session ' +
    'knows its owner, and answers at another one say that there is no such session; set "sessionBinding.secrets", the same ' +
    'at all replicas, or set "sessionBinding" to false if nothing uses sessions';

  verifies('POP-71', 'are named in a warning if several replicas share no secrets', async () => {
    const several = (more: object) => warnings(NOTES, {}, undefined, { replicas: 'several', ...more });
    expect(await several({})).toEqual([UNSHARED]);
    expect(await several({ sessionBinding: { maxSessions: 10 } })).toEqual([UNSHARED]);
    expect(await several(SECRETS)).toEqual([]);
    expect(await several({ sessionBinding: false })).toEqual([]);
    expect(await warnings(NOTES, {}, undefined, { replicas: 'one' })).toEqual([]);
  });

  verifies('POP-71', 'are named in a warning if they are sealed before their caller signs in', async () => {
    const open = offlineResource(NOTES, { anonymousMethods: ['initialize'] });
    const resources = [offlineResource(ADMIN), open];
    expect(await warnings(NOTES, {}, undefined, { resources, ...SECRETS })).toEqual([
      `${NOTES}: "anonymousMethods" lets clients open sessions without a token, and with "sessionBinding.secrets" such a ` +
        'session does not pass to its caller after sign-in, so the client must open another one; leave "secrets" out if one ' +
        'process has all sessions',
    ]);
    expect(await warnings(NOTES, {}, undefined, { resources })).toEqual([]);
    expect(await warnings(NOTES, {}, undefined, SECRETS)).toEqual([]);
  });
});
