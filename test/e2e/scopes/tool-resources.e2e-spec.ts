import {
  All,
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Req,
  Res,
  type Type,
  UseGuards,
} from '@nestjs/common';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  Prompt,
  Resource,
  ResourceTemplate,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  BearerAuthGuard,
  type McpAuthEvent,
  McpAuthEvents,
  type McpDeclaration,
  McpHandlerSource,
  ProtectedResource,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { type AppParts, defaultPlatform, type RunningApp, startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { rejectedAs } from '../../fixtures/notes-rejections.js';
import { ADMIN, NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const ran: string[] = [];

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.length = 0;
});

const parameters = z.object({});

function text(name: string) {
  ran.push(name);
  return { content: [{ type: 'text' as const, text: name }] };
}

const read = (name: string, uri: string) => {
  ran.push(name);
  return { contents: [{ uri, text: name }] };
};

@McpController()
class SharedTools {
  @Tool({ name: 'shared', description: 'Of no resource', parameters })
  shared() {
    return text('shared');
  }

  @Tool({ name: 'of_notes', description: 'Of the notes', parameters })
  @ProtectedResource(NOTES)
  ofNotes() {
    return text('of_notes');
  }
}

@McpController()
@ProtectedResource('admin')
class AdminTools {
  @Tool({ name: 'wipe', description: 'Wipe', parameters })
  wipe() {
    return text('wipe');
  }

  @Tool({ name: 'wipe_guarded', description: 'Wipe', parameters })
  @UseGuards(BearerAuthGuard)
  wipeGuarded() {
    return text('wipe_guarded');
  }

  @Tool({ name: 'wipe_scoped', description: 'Wipe', parameters })
  @RequireScopes('write')
  wipeScoped() {
    return text('wipe_scoped');
  }

  @Prompt({ name: 'plan', description: 'Plan', parameters: z.object({ who: z.string() }) })
  plan() {
    ran.push('plan');
    return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'plan' } }] };
  }

  @Resource({ uri: 'log://today', name: 'today', mimeType: 'text/plain' })
  today() {
    return read('today', 'log://today');
  }

  @ResourceTemplate({ uriTemplate: 'log://{day}/page', name: 'log', mimeType: 'text/plain' })
  log() {
    return read('log', 'log://x/page');
  }
}

/** An endpoint at a path, which serves the handlers of a server. */
function endpointAt(path: string, resource: string, server?: string) {
  const transport = new StreamableHttpTransport();
  const transports = [transport];
  const strategy = new McpStrategy({
    name: path,
    version: '1',
    transports,
    logging: false,
    ...(server !== undefined && { server }),
  });
  @Controller(path)
  @UseGuards(BearerAuthGuard)
  @ProtectedResource(resource)
  class Endpoint extends McpHttpControllerFor(transport) {}
  return { controller: Endpoint as Type, strategy };
}

const resources = () => [
  { name: 'notes', resource: NOTES, authorizationServers: [as.issuer] },
  { name: 'admin', resource: ADMIN, authorizationServers: [as.issuer], requiredScopes: ['admin'] },
];

/** An application with an endpoint for each of the two resources. */
async function started(controllers: Type[], parts: AppParts = {}, servers: (string | undefined)[] = []) {
  const endpoints = [endpointAt('notes', 'notes', servers[0]), endpointAt('admin', 'admin', servers[1])];
  return startCreated(
    { resources: resources() },
    {
      ...parts,
      controllers: [...endpoints.map(({ controller }) => controller), ...controllers],
      prepare: async (app: INestApplication) => {
        for (const { strategy } of endpoints) app.connectMicroservice({ strategy });
        await app.startAllMicroservices();
      },
    },
  );
}

const send = async (
  app: RunningApp,
  path: string,
  body: unknown,
  headers: object = {},
  scope = 'write admin',
) => {
  const aud = path === '/notes' ? NOTES : ADMIN;
  const authorization = `Bearer ${await as.token({ aud, scope })}`;
  return app.send(path, { method: 'POST', headers: { ...MCP_HEADERS, authorization, ...headers }, body });
};

const message = (method: string, params: object) => ({ jsonrpc: '2.0', id: 1, method, params });

const OTHER_RESOURCE = {
  status: 403,
  challenge: undefined,
  json: {
    error: 'forbidden_operation',
    error_description: 'This operation belongs to another protected resource',
  },
};

describe(`handlers of one resource among several, on ${defaultPlatform}`, () => {
  const OF_ADMIN: [string, object][] = [
    ['wipe', toolCall('wipe')],
    ['wipe_guarded', toolCall('wipe_guarded')],
    ['wipe_scoped', toolCall('wipe_scoped')],
    ['plan', message('prompts/get', { name: 'plan', arguments: { who: 'a' } })],
    ['today', message('resources/read', { uri: 'log://today' })],
    ['log', message('resources/read', { uri: 'log://x/page' })],
  ];
  const NOT_RUN = [
    message('resources/read', { uri: 'log://%78/page' }),
    message('resources/subscribe', { uri: 'log://today' }),
    message('completion/complete', {
      ref: { type: 'ref/prompt', name: 'plan' },
      argument: { name: 'who', value: 'a' },
    }),
    message('completion/complete', {
      ref: { type: 'ref/resource', uri: 'log://{day}/page' },
      argument: { name: 'day', value: 'a' },
    }),
    { ...toolCall('wipe'), id: undefined },
  ];

  verifies(['WAY-05', 'PRM-60'], 'reject tokens of another resource with 403, guarded or not', async () => {
    const app = await started([SharedTools, AdminTools]);
    const events: McpAuthEvent[] = [];
    app.app.get(McpAuthEvents).on('access_denied', (event) => events.push(event));
    for (const body of [...OF_ADMIN.map(([, each]) => each), ...NOT_RUN])
      expect(rejectedAs(await send(app, '/notes', body))).toEqual(OTHER_RESOURCE);
    expect(ran).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'access_denied', reason: 'other_resource', status: 403 });
    // The other way round.
    expect(rejectedAs(await send(app, '/admin', toolCall('of_notes')))).toEqual(OTHER_RESOURCE);
    expect(ran).toEqual([]);
  });

  verifies('WAY-05', 'run at their own resource, and those of no resource at both', async () => {
    const app = await started([SharedTools, AdminTools]);
    for (const [name, body] of OF_ADMIN) {
      const { status, text: answer } = await send(app, '/admin', body);
      expect([name, status, answer.includes('isError')]).toEqual([name, 200, false]);
    }
    expect(ran).toEqual(OF_ADMIN.map(([name]) => name));
    for (const path of ['/notes', '/admin'])
      expect((await send(app, path, toolCall('shared'))).status).toBe(200);
    expect((await send(app, '/notes', toolCall('of_notes'))).status).toBe(200);
    expect(ran.slice(OF_ADMIN.length)).toEqual(['shared', 'shared', 'of_notes']);
    // Scopes of the resource come as ever.
    expect((await send(app, '/admin', toolCall('wipe'), {}, 'write')).headers['www-authenticate']).toContain(
      'insufficient_scope',
    );
  });

  verifies('WAY-05', 'keep their resource where a class overrides them without naming it', async () => {
    class Base {
      @Tool({ name: 'base_wipe', description: 'Wipe', parameters })
      @ProtectedResource('admin')
      wipe() {
        return text('base_wipe');
      }

      @Tool({ name: 'base_list', description: 'List', parameters })
      @ProtectedResource('admin')
      list() {
        return text('base_list');
      }
    }
    class Middle extends Base {
      override wipe() {
        return text('middle_wipe');
      }
    }
    @McpController()
    class Leaf extends Middle {
      @Tool({ name: 'wipe', description: 'Wipe', parameters })
      override wipe() {
        return text('wipe');
      }

      @Tool({ name: 'list', description: 'List', parameters })
      @ProtectedResource('notes')
      override list() {
        return text('list');
      }
    }
    const app = await started([Leaf]);
    expect(rejectedAs(await send(app, '/notes', toolCall('wipe')))).toEqual(OTHER_RESOURCE);
    expect(rejectedAs(await send(app, '/admin', toolCall('list')))).toEqual(OTHER_RESOURCE);
    expect(ran).toEqual([]);
    expect((await send(app, '/admin', toolCall('wipe'))).status).toBe(200);
    expect((await send(app, '/notes', toolCall('list'))).status).toBe(200);
    expect(ran).toEqual(['wipe', 'list']);
  });

  verifies('WAY-05', 'are found in a batch', async () => {
    const app = await started([SharedTools, AdminTools]);
    const oldest = { 'mcp-protocol-version': '2025-03-26' };
    const batch = [toolCall('shared', 1), toolCall('wipe', 2)];
    expect(rejectedAs(await send(app, '/notes', batch, oldest))).toEqual(OTHER_RESOURCE);
    expect(ran).toEqual([]);
    expect((await send(app, '/notes', batch.slice(0, 1), oldest)).status).toBe(200);
    expect((await send(app, '/admin', batch, oldest)).status).toBe(200);
    expect(ran).toEqual(['shared', 'shared', 'wipe']);
  });

  verifies('WAY-05', 'are listed at both resources', async () => {
    const app = await started([SharedTools, AdminTools]);
    expect((await send(app, '/notes', message('tools/list', {}))).text).toContain('"wipe"');
  });

  verifies('WAY-05', 'are authorized by their server if two servers share a name', async () => {
    @McpController({ server: 'notes' })
    @ProtectedResource('notes')
    class NotesSearch {
      @Tool({ name: 'search', description: 'Search', parameters })
      search() {
        return text('search notes');
      }
    }
    @McpController({ server: 'admin' })
    @ProtectedResource('admin')
    class AdminSearch {
      @Tool({ name: 'search', description: 'Search', parameters })
      search() {
        return text('search admin');
      }

      @Tool({ name: 'wipe', description: 'Wipe', parameters })
      wipe() {
        return text('wipe');
      }
    }
    const app = await started([NotesSearch, AdminSearch], {}, ['notes', 'admin']);
    for (const path of ['/notes', '/admin'])
      expect((await send(app, path, toolCall('search'))).status).toBe(200);
    expect(ran).toEqual(['search notes', 'search admin']);
    expect(rejectedAs(await send(app, '/notes', toolCall('wipe')))).toEqual(OTHER_RESOURCE);
  });

  verifies(
    'WAY-05',
    'are authorized by the server that runs them, whatever another one shares with it',
    async () => {
      @McpController({ server: 's1' })
      @ProtectedResource('admin')
      class OfAdmin {
        @Tool({ name: 'wipe', description: 'Wipe', parameters })
        wipe() {
          return text('wipe of admin');
        }

        @Resource({ uri: 'doc://secret', name: 'secret', mimeType: 'text/plain' })
        secret() {
          return read('secret of admin', 'doc://secret');
        }
      }
      @McpController({ server: 's2' })
      @ProtectedResource('notes')
      class OfNotes {
        @Tool({ name: 'wipe', description: 'Wipe', parameters })
        wipe() {
          return text('wipe of notes');
        }

        @ResourceTemplate({ uriTemplate: 'doc://{id}', name: 'doc', mimeType: 'text/plain' })
        doc() {
          return read('doc of notes', 'doc://x');
        }
      }
      // Both endpoints are of the server s1, so a token for the notes meets the handlers of admin.
      const app = await started([OfAdmin, OfNotes], {}, ['s1', 's1']);
      const shared = [toolCall('wipe'), message('resources/read', { uri: 'doc://secret' })];
      for (const body of shared) {
        expect((await send(app, '/notes', body)).text).toContain(
          '"error":{"code":403,"message":"This operation belongs to another protected resource"',
        );
      }
      expect(ran).toEqual([]);
      for (const body of shared) expect((await send(app, '/admin', body)).status).toBe(200);
      expect(ran).toEqual(['wipe of admin', 'secret of admin']);
    },
  );

  verifies('WAY-05', 'of the same server and name but of two resources run at neither', async () => {
    @McpController()
    @ProtectedResource('notes')
    class OfNotes {
      @Tool({ name: 'search', description: 'Search', parameters })
      search() {
        return text('search notes');
      }
    }
    @McpController()
    @ProtectedResource('admin')
    class OfAdmin {
      @Tool({ name: 'search', description: 'Search', parameters })
      search() {
        return text('search admin');
      }
    }
    const app = await started([OfNotes, OfAdmin]);
    for (const path of ['/notes', '/admin'])
      expect(rejectedAs(await send(app, path, toolCall('search')))).toEqual(OTHER_RESOURCE);
    expect(ran).toEqual([]);
  });

  verifies('WAY-05', 'need a parsed body if nothing else authorizes', async () => {
    const app = await started([AdminTools], { factoryOptions: { bodyParser: false } });
    const headers = { 'content-type': 'application/json' };
    const { status } = await send(app, '/notes', toolCall('wipe'), headers);
    // Fastify parses JSON whatever Nest is told.
    expect(status).toBe(defaultPlatform === 'express' ? 500 : 403);
    expect(ran).toEqual([]);
  });
});

describe(`routes that override one of another resource, on ${defaultPlatform}`, () => {
  class Base {
    @Get('base')
    @ProtectedResource('admin')
    read(): string {
      return 'base';
    }
  }

  @Controller('silent')
  @UseGuards(BearerAuthGuard)
  class Silent extends Base {
    @Get()
    override read(): string {
      return 'silent';
    }
  }

  @Controller('classed')
  @UseGuards(BearerAuthGuard)
  @ProtectedResource('notes')
  class Classed extends Silent {
    @Get()
    override read(): string {
      return 'classed';
    }
  }

  @Controller('own')
  @UseGuards(BearerAuthGuard)
  class Own extends Base {
    @Get()
    @ProtectedResource('notes')
    override read(): string {
      return 'own';
    }
  }

  verifies('WAY-05', 'keep its resource unless they name one themselves', async () => {
    const app = await startCreated({ resources: resources() }, { controllers: [Silent, Classed, Own] });
    const bearer = async (aud: string) => `Bearer ${await as.token({ aud, scope: 'admin' })}`;
    const [notes, admin] = [await bearer(NOTES), await bearer(ADMIN)];
    for (const [path, right, wrong] of [
      ['/silent', admin, notes],
      ['/classed', admin, notes],
      ['/own', notes, admin],
    ] as const) {
      expect(await app.send(path, { headers: { authorization: right } })).toMatchObject({
        status: 200,
        text: path.slice(1),
      });
      expect([path, (await app.send(path, { headers: { authorization: wrong } })).status]).toEqual([
        path,
        401,
      ]);
    }
  });
});

describe(`declared handlers of one resource among several, on ${defaultPlatform}`, () => {
  function sdkEndpoint(path: string): Type {
    @Controller(path)
    @UseGuards(BearerAuthGuard)
    @ProtectedResource(path)
    class SdkEndpoint {
      @All()
      serve(
        @Req() request: { body: unknown },
        @Res() response: ServerResponse & { send(body: object): void },
      ) {
        const { params } = request.body as { params: { name: string } };
        response.send(text(params.name));
      }
    }
    return SdkEndpoint;
  }

  verifies('WAY-05', 'reject tokens of the other, also where a template of it covers the URI', async () => {
    @Injectable()
    class Declared extends McpHandlerSource {
      declarations(): McpDeclaration[] {
        return [
          { kind: 'resource', name: 'doc://secret', requirements: [], resource: 'admin' },
          { kind: 'resource', name: 'doc://{id}', requirements: [], resource: 'notes' },
        ];
      }
    }
    const app = await startCreated(
      { resources: resources() },
      { controllers: [sdkEndpoint('notes'), sdkEndpoint('admin')], providers: [Declared] },
    );
    const readUri = (uri: string) => ({ ...message('resources/read', { uri }), params: { uri, name: uri } });
    expect(rejectedAs(await send(app, '/notes', readUri('doc://secret')))).toEqual(OTHER_RESOURCE);
    expect(rejectedAs(await send(app, '/admin', readUri('doc://secre')))).toEqual(OTHER_RESOURCE);
    expect(ran).toEqual([]);
    expect((await send(app, '/notes', readUri('doc://secre'))).text).toContain('doc://secre');
    expect(ran).toEqual(['doc://secre']);
  });

  verifies('WAY-05', 'reject tokens of the other, unless they are declared for both', async () => {
    const declared: McpDeclaration[] = [
      { kind: 'tool', name: 'wipe', requirements: [], resource: 'admin' },
      { kind: 'tool', name: 'list', requirements: [], resource: 'admin' },
      { kind: 'tool', name: 'list', requirements: [], resource: NOTES },
      { kind: 'tool', name: 'any', requirements: [] },
    ];
    @Injectable()
    class Declared extends McpHandlerSource {
      declarations() {
        return declared;
      }
    }
    const app = await startCreated(
      { resources: resources() },
      { controllers: [sdkEndpoint('notes'), sdkEndpoint('admin')], providers: [Declared] },
    );
    expect(rejectedAs(await send(app, '/notes', toolCall('wipe')))).toEqual(OTHER_RESOURCE);
    expect(ran).toEqual([]);
    for (const [path, name] of [
      ['/admin', 'wipe'],
      ['/admin', 'list'],
      ['/notes', 'list'],
      ['/notes', 'any'],
      ['/admin', 'any'],
    ] as const)
      expect((await send(app, path, toolCall(name))).text).toContain(name);
    expect(ran).toEqual(['wipe', 'list', 'list', 'any', 'any']);
  });
});
