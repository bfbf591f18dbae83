import { All, Controller, Get, Injectable, Post, type Type, UseGuards } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterEach, describe, expect, it } from 'vitest';
import {
  BearerAuthGuard,
  type McpAuthModuleOptions,
  type McpDeclaration,
  McpHandlerSource,
  ProtectedResource,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { type AppParts, defaultPlatform, RecordingLogger, startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { toolCall } from '../../fixtures/mcp-endpoint.js';
import { rejectedAs } from '../../fixtures/notes-rejections.js';
import { ADMIN, NOTES, NOTES_METADATA, offlineResource, PRM } from '../../fixtures/resources.js';
import { besidesUnprotected } from '../../fixtures/unprotected.js';
import { verifies } from '../../verifies.js';

const parameters = z.object({});

@McpController()
class Tools {
  @Tool({ name: 'write', description: 'Write', parameters })
  @RequireScopes('notes:write')
  write(): void {
    return undefined;
  }

  @Tool({ name: 'erase', description: 'Erase', parameters })
  @RequireScopes({ anyOf: ['notes:erase', 'offline_access'] }, 'notes:write')
  erase(): void {
    return undefined;
  }
}

@Controller('notes')
@UseGuards(BearerAuthGuard)
class Notes {
  @Get()
  @RequireScopes('offline_access')
  list(): string {
    return 'notes';
  }

  @Post()
  @RequireScopes('notes:add')
  add(): string {
    return 'added';
  }
}

function source(...declarations: McpDeclaration[]): Type<McpHandlerSource> {
  @Injectable()
  class Handlers extends McpHandlerSource {
    declarations() {
      return declarations;
    }
  }
  return Handlers;
}

/** An app and what it warns of when it starts. */
async function started(options: McpAuthModuleOptions, parts: AppParts) {
  const log = new RecordingLogger();
  const app = await startCreated(options, { ...parts, factoryOptions: { logger: log } });
  return { app, warnings: besidesUnprotected(log.warnings) };
}

const offline = (where: string): string =>
  `${where}: asks for "offline_access", which no challenge names, as clients ask for it by themselves; leave it out`;

describe('offline_access', () => {
  let as: LoopbackAuthorizationServer;

  afterEach(() => as.close());

  verifies(
    'SCP-08',
    'causes a warning if a handler asks for it, and is neither advertised nor in a challenge',
    async () => {
      as = await LoopbackAuthorizationServer.start();
      const options = {
        resources: {
          resource: NOTES,
          authorizationServers: [as.issuer],
          requiredScopes: ['offline_access', 'notes:read'],
        },
      };
      const Handlers = source({ kind: 'prompt', name: 'greet', requirements: ['offline_access'] });
      const parts = { controllers: [Notes, Tools], providers: [Handlers] };
      const { app, warnings } = await started(options, parts);
      expect(warnings.filter((each) => each.includes('offline_access'))).toEqual([
        `${NOTES}: "offline_access" is not advertised; clients ask for it by themselves`,
        offline('Notes.list'),
        offline('Tools.erase'),
        offline('prompt "greet"'),
      ]);
      const { json } = await app.send(`${PRM}/notes`);
      expect(json).toMatchObject({
        scopes_supported: ['notes:read', 'notes:write', 'notes:erase', 'notes:add'],
      });
      const challenge = (scope: string): string =>
        `Bearer error="insufficient_scope", scope="${scope}", resource_metadata="${NOTES_METADATA}", error_description="The access token does not grant what this operation needs"`;
      expect((await app.send('/notes')).headers['www-authenticate']).toBe(
        `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}"`,
      );
      const bearer = await as.token({ aud: NOTES, scope: 'notes:read' });
      const headers = { authorization: `Bearer ${bearer}` };
      const json403 = {
        error: 'insufficient_scope',
        error_description: 'The access token does not grant what this operation needs',
      };
      expect(rejectedAs(await app.send('/notes', { headers }))).toEqual({
        status: 403,
        challenge: challenge('notes:read'),
        json: json403,
      });
      const called = await app.send('/notes', { method: 'POST', headers, body: toolCall('erase') });
      expect(rejectedAs(called).challenge).toBe(challenge('notes:read notes:add notes:erase notes:write'));
    },
  );
});

describe('scopes that "scopesSupported" leaves out', () => {
  const leftOut = (resource: string, names: string): string =>
    `${resource}: "scopesSupported" leaves out ${names}, which handlers or "requiredScopes" ask for`;
  const about = (warnings: readonly string[]) => warnings.filter((each) => each.includes('scopesSupported'));

  verifies('SCP-08', 'are named in a warning, each once and without offline_access', async () => {
    const resources = offlineResource(NOTES, {
      scopesSupported: ['notes:add'],
      requiredScopes: ['notes:read', 'notes:add'],
    });
    const Handlers = source({ kind: 'tool', name: 'x', requirements: ['notes:x', 'notes:write'] });
    const parts = { controllers: [Notes, Tools], providers: [Handlers] };
    const { warnings } = await started({ resources }, parts);
    const names = '"notes:read", "notes:write", "notes:erase", "notes:x"';
    expect(about(warnings)).toEqual([leftOut(NOTES, names)]);
  });

  verifies('SCP-08', 'cause no warning if all are listed, or if there is no list', async () => {
    const all = ['notes:add', 'notes:write', 'notes:erase'];
    for (const more of [{ scopesSupported: all }, {}]) {
      const { warnings } = await started(
        { resources: offlineResource(NOTES, more) },
        { controllers: [Notes, Tools] },
      );
      expect(about(warnings)).toEqual([]);
    }
  });

  verifies('SCP-08', 'are named for the resource that the handler names', async () => {
    @Controller('admin')
    @UseGuards(BearerAuthGuard)
    @ProtectedResource('admin')
    class Admin {
      @Get()
      @RequireScopes('admin:read')
      read(): string {
        return 'admin';
      }
    }
    const resources = [
      offlineResource(NOTES, { scopesSupported: ['a'] }),
      offlineResource(ADMIN, { name: 'admin', scopesSupported: ['a'] }),
    ];
    const { warnings } = await started({ resources }, { controllers: [Admin, Tools] });
    expect(about(warnings)).toEqual([leftOut(ADMIN, '"admin:read"')]);
  });
});

describe('scopes that an authorization server does not list', () => {
  const metadata = (issuer: string, scopes_supported?: string[]) => ({
    metadata: { issuer, ...(scopes_supported && { scopes_supported }) },
    jwks: { keys: [] },
    mcpCompliance: 'off' as const,
  });
  const ONE = 'https://one.example';
  const OTHER = 'https://other.example';
  const unlisted = (where: string, scope: string, issuer: string, meant?: string): string =>
    `${where}: asks for the scope "${scope}", which ${issuer} does not list in its "scopes_supported"; clients may get ` +
    `no tokens with it${meant === undefined ? '' : `. Did you mean "${meant}"?`}`;
  const about = (warnings: readonly string[]) => warnings.filter((each) => each.includes('scopes_supported'));

  @McpController()
  class Mistyped {
    @Tool({ name: 'write', description: 'Write', parameters })
    @RequireScopes('notes:wirte')
    write(): void {
      return undefined;
    }

    @Tool({ name: 'erase', description: 'Erase', parameters })
    @RequireScopes('notes:wirte', { anyOf: ['notes:read', 'x'] }, () => ['notes:never'])
    erase(): void {
      return undefined;
    }
  }

  async function said(authorizationServers: object[], more: object = {}, parts: AppParts = {}) {
    const resources = { resource: NOTES, authorizationServers, ...more } as never;
    const { warnings } = await started({ resources }, { controllers: [Notes, Mistyped], ...parts });
    return about(warnings);
  }

  verifies(
    'WAY-24',
    'are named in a warning with handlers, server and the closest listed scope',
    async () => {
      const listed = ['openid', 'offline_access', 'notes:read', 'notes:write', 'notes:add'];
      const tools = 'Mistyped.write, Mistyped.erase';
      const expected = [
        unlisted(tools, 'notes:wirte', ONE, 'notes:write'),
        unlisted('Mistyped.erase', 'x', ONE),
      ];
      expect(await said([metadata(ONE, listed)])).toEqual(expected);
      const Handlers = source({ kind: 'prompt', name: 'greet', requirements: ['notes:raed'] });
      const parts = { controllers: [], providers: [Handlers] };
      expect(await said([metadata(ONE, listed)], { requiredScopes: ['notes:ad'] }, parts)).toEqual([
        unlisted('"requiredScopes"', 'notes:ad', ONE, 'notes:add'),
        unlisted('prompt "greet"', 'notes:raed', ONE, 'notes:read'),
      ]);
      // Of several servers each is compared.
      const all = [...listed, 'notes:wirte', 'x'];
      expect(await said([metadata(ONE, all), metadata(OTHER, listed)])).toEqual(
        expected.map((each) => each.replace(ONE, OTHER)),
      );
    },
  );

  verifies('WAY-24', 'cause no warning if the list does not concern a resource', async () => {
    const identity = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'name', 'picture'];
    for (const scopes of [undefined, [], identity]) expect(await said([metadata(ONE, scopes)])).toEqual([]);
    expect(await said([metadata(ONE, [...identity, 'notes:write'])])).not.toEqual([]);
    expect(await said([metadata(ONE, ['notes:wirte', 'notes:add', 'notes:read', 'x'])])).toEqual([]);
    const wrong = metadata(ONE, 'notes:write' as never);
    expect(await said([wrong]).catch(() => [])).toEqual([]);
  });

  verifies('WAY-24', 'are compared for the resource that a handler belongs to', async () => {
    @McpController()
    @ProtectedResource(ADMIN)
    class OfAdmin extends Mistyped {}
    @Controller('notes')
    @ProtectedResource(NOTES)
    class OfNotes extends Notes {}
    const resources = [
      { resource: NOTES, authorizationServers: [metadata(ONE, ['notes:add'])] },
      { resource: ADMIN, authorizationServers: [metadata(OTHER, ['notes:write', 'notes:read', 'x'])] },
    ];
    const { warnings } = await started({ resources }, { controllers: [OfNotes, OfAdmin] });
    expect(about(warnings)).toEqual([
      unlisted('OfAdmin.write, OfAdmin.erase', 'notes:wirte', OTHER, 'notes:write'),
    ]);
  });
});

describe('a route that stands before the metadata documents', () => {
  @Controller()
  class Site {
    @All('*path')
    page(): string {
      return 'page';
    }
  }

  // A Nest without this option tells of none.
  it.runIf(defaultPlatform === 'express' && 'getRouteConflictPolicy' in ApplicationConfig.prototype)(
    'is named by Nest under routeConflictPolicy',
    async () => {
      const logger = new RecordingLogger();
      const factoryOptions = { logger, routeConflictPolicy: { shadow: 'warn' } } as const;
      const parts = { controllers: [Site], factoryOptions };
      const app = await startCreated({ resources: offlineResource(NOTES) }, parts);
      expect((await app.send(`${PRM}/notes`)).text).toBe('page');
      expect(logger.warnings.join()).toContain(
        `${PRM}/*path (ProtectedResourceMetadataController#serve) is shadowed by ALL /*path (Site#page)`,
      );
    },
  );
});
