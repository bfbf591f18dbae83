import { Controller, Get, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { McpController, Tool } from '@rekog/mcp-nest';
import { describe, expect, it } from 'vitest';
import {
  AllowAnonymous,
  BearerAuthGuard,
  McpAuthConfigError,
  ProtectedResource,
  RequireScopes,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { start, startFailure } from '../../fixtures/app.js';
import { listing } from '../../fixtures/config-problems.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { ADMIN, NOTES, offlineResource, ORIGIN, PRM } from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

/** For controllers that have an open route beside those under test. */
class WithOpenRoute {
  @Get('open')
  @SkipBearerAuth()
  open(): string {
    return 'open';
  }
}

describe('several resources', () => {
  const both = [
    { ...offlineResource(NOTES), name: 'notes' },
    { ...offlineResource(ADMIN), name: 'admin' },
  ];

  @Controller('admin')
  @UseGuards(BearerAuthGuard)
  class AdminController {
    @Get()
    read(): string {
      return 'admin';
    }
  }

  const UNNAMED =
    'does not say which resource it belongs to; add @ProtectedResource() with one of "notes", "admin"';

  verifies(['PRM-63', 'F66'], 'fail startup if a guarded route names none of them', async () => {
    const error = await startFailure(
      { resources: both },
      { controllers: [NotesController, AdminController] },
    );
    expect(error).toBeInstanceOf(McpAuthConfigError);
    expect(error.message).toBe(
      listing(`NotesController.list: ${UNNAMED}`, `AdminController.read: ${UNNAMED}`),
    );
    const single = await start({ resources: both[0]! }, { controllers: [NotesController, AdminController] });
    expect((await single.send('/admin')).status).toBe(401);
  });

  verifies('PRM-63', 'fail startup under a global guard too, if a route names none of them', async () => {
    @Controller('plain')
    class PlainController extends WithOpenRoute {
      @Get()
      read(): string {
        return 'plain';
      }
    }
    const controllers = [PlainController];
    const providers = [{ provide: APP_GUARD, useClass: BearerAuthGuard }];
    const byProvider = await startFailure({ resources: both }, { controllers, providers });
    const byMain = await startFailure(
      { resources: both },
      {
        controllers,
        prepare: (app) => {
          app.useGlobalGuards(app.get(BearerAuthGuard));
        },
      },
    );
    for (const error of [byProvider, byMain]) {
      expect(error.message).toBe(listing(`PlainController.read: ${UNNAMED}`));
    }
    const unguarded = await start({ resources: both }, { controllers });
    expect((await unguarded.send('/plain')).text).toBe('plain');
  });

  verifies(['PRM-63', 'F66'], 'fail startup if a route names an unknown one', async () => {
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class MistakenController {
      @Get()
      @ProtectedResource('note')
      list(): string {
        return 'notes';
      }

      @Get('slash')
      @ProtectedResource(`${NOTES}/`)
      slash(): string {
        return 'notes';
      }

      @Get('right')
      @ProtectedResource(NOTES)
      right(): string {
        return 'notes';
      }
    }
    const unknown = (name: string): string =>
      `names the unknown resource "${name}"; add @ProtectedResource() with one of "notes", "admin"`;
    const error = await startFailure({ resources: both }, { controllers: [MistakenController] });
    expect(error.message).toBe(
      listing(
        `MistakenController.list: ${unknown('note')}`,
        `MistakenController.slash: ${unknown(`${NOTES}/`)}`,
      ),
    );
    const single = await startFailure(
      { resources: offlineResource(NOTES) },
      { controllers: [MistakenController] },
    );
    expect(single.message).toBe(
      listing(
        `MistakenController.list: names the unknown resource "note"; add @ProtectedResource() with one of "${NOTES}"`,
        `MistakenController.slash: names the unknown resource "${NOTES}/"; add @ProtectedResource() with one of "${NOTES}"`,
      ),
    );
  });

  verifies(['PRM-60', 'PRM-63'], 'are served side by side, and reject the tokens of each other', async () => {
    @Controller('notes')
    @ProtectedResource('notes')
    class NamedNotes extends NotesController {}

    @Controller('admin')
    @UseGuards(BearerAuthGuard)
    class NamedAdmin {
      @Get()
      @ProtectedResource(ADMIN)
      read(): string {
        return 'admin';
      }
    }
    const as = await server();
    const authorizationServers = [as.issuer];
    const app = await start(
      {
        resources: [
          { name: 'notes', resource: NOTES, authorizationServers },
          { resource: ADMIN, authorizationServers },
        ],
      },
      { controllers: [NamedNotes, NamedAdmin] },
    );
    const routes = [
      ['/notes', NOTES],
      ['/admin', ADMIN],
    ] as const;
    for (const [path, resource] of routes) {
      for (const [, aud] of routes) {
        const headers = { authorization: `Bearer ${await as.token({ aud })}` };
        const answer = await app.send(path, { headers });
        if (aud === resource) {
          expect(answer).toMatchObject({ status: 200, text: path.slice(1) });
          continue;
        }
        expect(answer).toMatchObject({
          status: 401,
          headers: {
            'cache-control': 'no-store',
            'www-authenticate': `Bearer error="invalid_token", resource_metadata="${ORIGIN}${PRM}${path}", error_description="The access token is invalid or expired"`,
          },
          json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
        });
      }
      expect((await app.send(`${PRM}${path}`)).json).toMatchObject({ resource });
    }
  });
});

describe('decorators that contradict each other', () => {
  it('fail startup if a route is open and needs scopes', async () => {
    @Controller('notes')
    class Contradicting extends WithOpenRoute {
      @Get()
      @SkipBearerAuth()
      @RequireScopes('notes:read')
      list(): string {
        return 'notes';
      }
    }

    @Controller('admin')
    @SkipBearerAuth()
    class OpenWithScopes {
      @Get()
      @RequireScopes('admin:read')
      read(): string {
        return 'admin';
      }
    }
    const message = 'has both @SkipBearerAuth() and @RequireScopes(); keep one of them';
    const error = await startFailure(
      { resources: offlineResource(NOTES) },
      { controllers: [Contradicting, OpenWithScopes] },
    );
    expect(error).toBeInstanceOf(McpAuthConfigError);
    expect(error.message).toBe(listing(`Contradicting.list: ${message}`, `OpenWithScopes.read: ${message}`));
  });

  verifies(
    'F75',
    'fail startup if an anonymous route needs scopes, or if it both skips and allows authentication',
    async () => {
      @Controller('notes')
      class Contradicting {
        @Get('scopes')
        @AllowAnonymous()
        @RequireScopes('notes:read')
        scopes(): string {
          return 'notes';
        }

        @Get('skip')
        @SkipBearerAuth()
        @AllowAnonymous()
        skip(): string {
          return 'notes';
        }

        @Get('all')
        @RequireScopes('notes:read')
        @SkipBearerAuth()
        @AllowAnonymous()
        all(): string {
          return 'notes';
        }
      }

      @Controller('admin')
      @AllowAnonymous()
      class ForAnybody {
        @Get()
        @RequireScopes('admin:read')
        read(): string {
          return 'admin';
        }
      }

      @Controller('secret')
      @RequireScopes('secret:read')
      class Scoped {
        @Get()
        @AllowAnonymous()
        read(): string {
          return 'secret';
        }
      }

      @McpController()
      class Tools {
        @Tool({ name: 'tool', description: 'Tool' })
        @RequireScopes('notes:write')
        @AllowAnonymous()
        tool(): string {
          return 'tool';
        }
      }
      const error = await startFailure(
        { resources: offlineResource(NOTES) },
        { controllers: [Contradicting, ForAnybody, Scoped, Tools] },
      );
      const scopes = 'has both @AllowAnonymous() and @RequireScopes(); keep one of them';
      expect(error).toBeInstanceOf(McpAuthConfigError);
      expect(error.message).toBe(
        listing(
          `Contradicting.scopes: ${scopes}`,
          'Contradicting.skip: has both @SkipBearerAuth() and @AllowAnonymous(); keep one of them',
          'Contradicting.all: has all of @SkipBearerAuth(), @AllowAnonymous(), @RequireScopes(); keep one of them',
          `ForAnybody.read: ${scopes}`,
          `Scoped.read: ${scopes}`,
          `Tools.tool: ${scopes}`,
        ),
      );
    },
  );

  verifies('F75', 'pass startup if each route has one of them', async () => {
    @Controller('notes')
    class Clear extends WithOpenRoute {
      @Get()
      @RequireScopes('notes:read')
      list(): string {
        return 'notes';
      }

      @Get('anyone')
      @UseGuards(BearerAuthGuard)
      @AllowAnonymous()
      anyone(): string {
        return 'anyone';
      }
    }
    const app = await start({ resources: offlineResource(NOTES) }, { controllers: [Clear] });
    expect((await app.send('/notes')).status).toBe(401);
    expect(await app.send('/notes/open')).toMatchObject({ status: 200, text: 'open' });
    expect(await app.send('/notes/anyone')).toMatchObject({ status: 200, text: 'anyone' });
    const bad = { headers: { authorization: 'Bearer x' } };
    expect((await app.send('/notes/anyone', bad)).status).toBe(401);
    expect((await app.send('/notes/open', bad)).status).toBe(200);
  });
});
