import {
  All,
  Controller,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  RequestMethod,
  type Type,
  VersioningType,
} from '@nestjs/common';
import { describe, expect } from 'vitest';
import { BearerAuthMiddleware } from 'nestjs-mcp-auth';
import { PLATFORMS, startCreated } from '../../fixtures/app.js';
import { ISSUER, offlineResource } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const REPORTS = 'https://api.example.com/reports';
const NO_TOKEN =
  'Bearer resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/reports"';

@Controller('reports')
class Reports {
  @All(['', 'x', 'x/y', 'open', '*'])
  read(): string {
    return 'ran';
  }
}

@Controller(['reportsx', 'other'])
class Others {
  @All(['', 'x'])
  read(): string {
    return 'ran';
  }
}

type Configure = (consumer: MiddlewareConsumer) => void;

const ALL = RequestMethod.ALL;
const BELOW = ['/reports/x', '/reports/x/', '/reports/x/y', '/reports/%78', '/reports/a/b/c', '/reports//x'];
const BESIDE = ['/reportsx', '/reportsx/x', '/other'];

interface Case {
  readonly where: string;
  readonly configure: Configure;
  readonly covered: readonly string[];
  readonly open: readonly string[];
  readonly prepare?: (app: INestApplication) => void;
}

const apply = (consumer: MiddlewareConsumer) => consumer.apply(BearerAuthMiddleware);

class Extended extends BearerAuthMiddleware {}

const CASES: readonly Case[] = [
  {
    where: 'a string',
    configure: (consumer) => apply(consumer).forRoutes('reports'),
    covered: ['/reports', '/reports/', ...BELOW],
    open: BESIDE,
  },
  {
    where: 'a string with slashes',
    configure: (consumer) => apply(consumer).forRoutes('/reports/'),
    covered: ['/reports', '/reports/', ...BELOW],
    open: BESIDE,
  },
  {
    where: 'several strings',
    configure: (consumer) => apply(consumer).forRoutes('other', 'reports'),
    covered: ['/reports', ...BELOW, '/other', '/other/x'],
    open: ['/reportsx'],
  },
  {
    where: 'a string, by a class that extends it',
    configure: (consumer) => consumer.apply(Extended).forRoutes('reports'),
    covered: ['/reports', ...BELOW],
    open: BESIDE,
  },
  {
    where: 'a string with a parameter',
    configure: (consumer) => apply(consumer).forRoutes(':tenant/x'),
    covered: ['/reports/x', '/reports/x/y', '/other/x'],
    open: ['/reports', '/reports/a', '/other'],
  },
  {
    where: 'a string with a wildcard',
    configure: (consumer) => apply(consumer).forRoutes('reports/*path'),
    covered: BELOW,
    open: ['/reports', ...BESIDE],
  },
  {
    where: 'a string with an optional wildcard',
    configure: (consumer) => apply(consumer).forRoutes('reports{/*path}'),
    covered: ['/reports', ...BELOW],
    open: BESIDE,
  },
  {
    where: 'the root',
    configure: (consumer) => apply(consumer).forRoutes('/'),
    covered: ['/', '/reports', ...BELOW, ...BESIDE],
    open: [],
  },
  {
    where: 'a string with an exception',
    configure: (consumer) => apply(consumer).exclude('reports/open').forRoutes('reports'),
    covered: ['/reports', ...BELOW, '/reports/open/x'],
    open: ['/reports/open', ...BESIDE],
  },
  {
    where: 'a string behind a global prefix',
    configure: (consumer) => apply(consumer).forRoutes('reports'),
    prepare: (app) => void app.setGlobalPrefix('api', { exclude: ['other'] }),
    covered: ['/reports', ...BELOW].map((path) => `/api${path}`),
    open: ['/api/reportsx', '/other'],
  },
  {
    where: 'a string with versions in paths',
    configure: (consumer) => apply(consumer).forRoutes('reports'),
    prepare: (app) => void app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    covered: ['/reports', ...BELOW].map((path) => `/v1${path}`),
    open: ['/v1/reportsx', '/v1/other'],
  },
  {
    where: 'a route of all methods, which is that path',
    configure: (consumer) => apply(consumer).forRoutes({ path: 'reports', method: ALL }),
    covered: ['/reports', '/reports/'],
    open: ['/reports/x', ...BESIDE],
  },
  {
    where: 'a controller, which is its routes',
    configure: (consumer) => apply(consumer).forRoutes(Reports),
    covered: ['/reports', ...BELOW],
    open: BESIDE,
  },
];

/** A module with a middleware; it stands before or behind `McpAuthModule`, and may take its time. */
function configured(configure: Configure, isLate: boolean): Type {
  @Module({ controllers: [Reports, Others] })
  class Configured implements NestModule {
    async configure(consumer: MiddlewareConsumer): Promise<void> {
      if (isLate) await Promise.resolve();
      configure(consumer);
    }
  }
  return Configured;
}

describe.each(PLATFORMS)('forRoutes() of the middleware on %s', (platform) => {
  for (const { where, configure, covered, open, prepare } of CASES)
    verifies('WAY-08', `covers what is below: ${where}`, async () => {
      for (const isLate of [false, true]) {
        const app = await startCreated(
          {
            resources: { ...offlineResource(REPORTS) },
            verifier: () => ({ iss: ISSUER, aud: REPORTS, sub: 'u1' }),
          },
          { platform, imports: [configured(configure, isLate)], ...(prepare && { prepare }) },
        );
        for (const path of covered)
          for (const method of ['GET', 'POST', 'HEAD']) {
            const { status, headers, text } = await app.send(path, { method });
            expect([path, method, status, headers['www-authenticate']]).toEqual([
              path,
              method,
              401,
              NO_TOKEN,
            ]);
            expect(text).not.toContain('ran');
          }
        for (const path of open) {
          const { status, text } = await app.send(path);
          expect([path, status, text]).toEqual([path, 200, 'ran']);
        }
        const admitted = await app.send(covered[1]!, { headers: { authorization: 'Bearer good' } });
        expect([admitted.status, admitted.text]).toEqual([200, 'ran']);
      }
    });
});
