import { applyDecorators, Controller, Get, SetMetadata, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  AuthContext,
  BearerAuthGuard,
  McpAuthConfigError,
  RequireScopes,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { PLATFORMS, type RunningApp, start, startApp, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing } from '../../fixtures/config-problems.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES, NOTES_METADATA, offlineResource, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const ran: string[] = [];

const parameters = z.object({});

/** Decorators of an application's own, composed of ours. */
const AdminOnly = () => applyDecorators(RequireScopes('notes:admin'));
const Audited = () => applyDecorators(SetMetadata('audited', true), AdminOnly());
const ScopedTool = (name: string) =>
  applyDecorators(Tool({ name, description: name, parameters }), RequireScopes('notes:write'));

function text(name: string) {
  ran.push(name);
  return { content: [{ type: 'text' as const, text: name }] };
}

@McpController()
class Stacked {
  @Tool({ name: 'outer', description: 'Outer', parameters })
  @RequireScopes('notes:write')
  @AdminOnly()
  outer() {
    return text('outer');
  }

  @Tool({ name: 'inner', description: 'Inner', parameters })
  @Audited()
  @RequireScopes('notes:write')
  inner() {
    return text('inner');
  }

  @RequireScopes({ anyOf: ['notes:a', 'notes:b'] })
  @ScopedTool('composed')
  @RequireScopes(() => ['notes:admin'])
  composed() {
    return text('composed');
  }
}

@RequireScopes('base:class')
class Base {
  @Tool({ name: 'kept', description: 'Kept', parameters })
  @RequireScopes('base:kept')
  kept() {
    return text('kept');
  }

  @Tool({ name: 'base_overridden', description: 'Overridden', parameters })
  @RequireScopes('base:overridden')
  overridden() {
    return text('base_overridden');
  }

  @Tool({ name: 'base_bare', description: 'Bare', parameters })
  @RequireScopes('base:bare')
  bare() {
    return text('base_bare');
  }
}

@RequireScopes('middle:class')
class Middle extends Base {}

@McpController()
@RequireScopes('leaf:class')
class Leaf extends Middle {
  @Tool({ name: 'overridden', description: 'Overridden', parameters })
  @RequireScopes('leaf:overridden')
  override overridden() {
    return text('overridden');
  }

  @Tool({ name: 'bare', description: 'Bare', parameters })
  override bare() {
    return text('bare');
  }

  @Tool({ name: 'own', description: 'Own', parameters })
  own() {
    return text('own');
  }
}

@RequireScopes('base:class')
class BaseRoutes {
  @Get('kept')
  @AdminOnly()
  kept(): string {
    return 'kept';
  }

  @Get('base-overridden')
  @AdminOnly()
  overridden(): string {
    return 'base-overridden';
  }
}

@Controller('notes/leaf')
@RequireScopes('leaf:class')
class LeafRoutes extends BaseRoutes {
  @Get('overridden')
  override overridden(): string {
    return 'overridden';
  }
}

@Controller('notes/stacked')
class StackedRoutes {
  @Get()
  @RequireScopes('notes:write')
  @AdminOnly()
  read(): string {
    return 'stacked';
  }
}

/** What each needs beside `notes:read`. */
const TOOLS: readonly [string, string][] = [
  ['outer', 'notes:write notes:admin'],
  ['inner', 'notes:admin notes:write'],
  ['kept', 'base:class middle:class leaf:class base:kept'],
  ['overridden', 'base:class middle:class leaf:class base:overridden leaf:overridden'],
  ['bare', 'base:class middle:class leaf:class base:bare'],
  ['own', 'base:class middle:class leaf:class'],
  ['composed', 'notes:a notes:write notes:admin'],
];

const ROUTES: readonly [string, string][] = [
  ['/notes/leaf/kept', 'base:class leaf:class notes:admin'],
  ['/notes/leaf/overridden', 'base:class leaf:class notes:admin'],
  ['/notes/stacked', 'notes:write notes:admin'],
];

describe.each(PLATFORMS)('scopes of several @RequireScopes(), on %s', (platform) => {
  const { insufficientScope } = notesRejections('notes:read');
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const { controller, connect } = mcpEndpoint();
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const controllers = [controller, Stacked, Leaf, LeafRoutes, StackedRoutes];
    app = await startApp({ resources }, { controllers, prepare: connect, platform });
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  beforeEach(() => {
    ran.length = 0;
  });

  const token = (scope: string) => as.token({ aud: NOTES, scope });
  const call = (bearer: string, name: string) =>
    app.send('/notes', {
      method: 'POST',
      headers: { ...MCP_HEADERS, authorization: `Bearer ${bearer}` },
      body: toolCall(name),
    });
  const get = (bearer: string, path: string) =>
    app.send(path, { headers: { authorization: `Bearer ${bearer}` } });

  /** All of a list but one. */
  const lacking = (scopes: string) => {
    const all = scopes.split(' ');
    return all.map((missing) => all.filter((scope) => scope !== missing).join(' '));
  };

  verifies('WAY-03', 'are all needed by a tool, whichever stands above', async () => {
    for (const [name, needed] of TOOLS) {
      const bare = rejectedAs(await call(await token('notes:read'), name));
      expect([name, bare]).toEqual([name, insufficientScope(`notes:read ${needed}`)]);
      for (const granted of lacking(needed)) {
        const { status } = await call(await token(`notes:read ${granted}`), name);
        expect([name, granted, status]).toEqual([name, granted, 403]);
      }
      expect(ran).toEqual([]);
      expect((await call(await token(`notes:read ${needed}`), name)).status).toBe(200);
      expect(ran.splice(0)).toEqual([name]);
    }
  });

  verifies('WAY-03', 'are all needed by a route, whichever stands above', async () => {
    for (const [path, needed] of ROUTES) {
      const bare = rejectedAs(await get(await token('notes:read'), path));
      expect([path, bare]).toEqual([path, insufficientScope(`notes:read ${needed}`)]);
      for (const granted of lacking(needed)) {
        const { status } = await get(await token(`notes:read ${granted}`), path);
        expect([path, granted, status]).toEqual([path, granted, 403]);
      }
      const { status, text: body } = await get(await token(`notes:read ${needed}`), path);
      expect([status, body]).toEqual([200, path.split('/').at(-1)]);
    }
  });

  verifies('WAY-03', 'are all advertised', async () => {
    const path = NOTES_METADATA.slice(NOTES_METADATA.indexOf(PRM));
    const { scopes_supported: supported } = (await app.send(path)).json as { scopes_supported: string[] };
    const needed = [...TOOLS, ...ROUTES].flatMap(([, scopes]) => scopes.split(' '));
    expect(new Set(supported)).toEqual(new Set(['notes:read', 'notes:b', ...needed]));
  });
});

describe('@RequireScopes()', () => {
  const options = { resources: offlineResource(NOTES) };

  verifies('WAY-03', 'fails without a scope, on a method and on a class', () => {
    const none: [string] = [] as unknown as [string];
    const lists: [string][] = [
      none,
      ...[undefined, null, ['a']].map((each) => [each] as unknown as [string]),
    ];
    for (const list of lists) expect(() => RequireScopes(...list)).toThrow(McpAuthConfigError);
    expect(() => RequireScopes(...none)).toThrow(/@RequireScopes\(\): must name at least one scope/);
    expect(() => RequireScopes('a')).not.toThrow();
  });

  verifies('WAY-03', 'puts the guard on what it decorates once', () => {
    class Twice {
      @RequireScopes('notes:write')
      @AdminOnly()
      read(): string {
        return 'read';
      }
    }
    const method: unknown = Reflect.get(Twice.prototype, 'read');
    expect(Reflect.getMetadata('__guards__', method as object)).toEqual([BearerAuthGuard]);
  });

  verifies('WAY-03', 'on an overridden method fails startup where no guard covers the method', async () => {
    class Parent {
      @Get('parent')
      @RequireScopes('notes:admin')
      read(): string {
        return 'parent';
      }
    }
    const child = (...decorators: ClassDecorator[]) => {
      @Controller('notes')
      class Child extends Parent {
        @Get('child')
        override read(): string {
          return 'child';
        }
      }
      for (const decorate of decorators) decorate(Child);
      return Child;
    };
    const error = await startFailure(options, { controllers: [child()] });
    expect(error.message).toBe(
      listing(
        'Child.read: overrides a method with @RequireScopes(), and no guard covers it; ' +
          'add @RequireScopes() or @UseGuards(BearerAuthGuard) to it',
      ),
    );
    for (const parts of [
      { controllers: [child(UseGuards(BearerAuthGuard))] },
      { controllers: [child()], providers: [{ provide: APP_GUARD, useClass: BearerAuthGuard }] },
    ]) {
      const app = await start(options, parts);
      expect((await app.send('/notes/child')).status).toBe(401);
    }
    const skipped = await startFailure(options, { controllers: [child(SkipBearerAuth())] });
    expect(skipped.message).toContain('Child.read: has both @SkipBearerAuth() and @RequireScopes()');
  });
});

describe('AuthContext.requireScopes()', () => {
  verifies('WAY-03', 'throws without a scope', () => {
    const context = new AuthContext();
    const none = [] as unknown as [string];
    expect(() => {
      context.requireScopes(...none);
    }).toThrow(new TypeError('requireScopes() needs at least one scope'));
  });
});
