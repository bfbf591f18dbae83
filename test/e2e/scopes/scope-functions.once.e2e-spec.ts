import { completable, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import {
  McpServer as McpServerV1,
  ResourceTemplate as ResourceTemplateV1,
} from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Inject,
  Injectable,
  type ModuleMetadata,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  Prompt,
  Resource,
  ResourceTemplate as Template,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  BearerAuthGuard,
  McpAuthEvents,
  type McpAuthModuleOptions,
  McpHandlerSource,
  RequireScopes,
  type ScopedCall,
  type ScopeRequirement,
  type ScopesOfCall,
} from 'nestjs-mcp-auth';
import { firstValueFrom } from 'rxjs';
import { z } from 'zod';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { message } from '../../fixtures/operations-app.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { v1Stateless, v2Controller } from '../../fixtures/transport-servers.js';
import { verifies } from '../../verifies.js';

/** What functions were told, and what ran with which values, in order. */
const told: { readonly by: string; readonly call: ScopedCall }[] = [];
const ran: string[] = [];

const telling =
  (by: string, decide: ScopesOfCall): ScopesOfCall =>
  (call, auth) => {
    told.push({ by, call });
    return decide(call, auth);
  };

/** What one of them was told. */
const toldTo = (name: string) => told.filter(({ by }) => by === name).map(({ call }) => call);

const ofFolderUri = telling('uri', ({ name }) => (/^folder:\/\/hr\b/i.test(name) ? ['hr:read'] : []));
const ofNote = telling('note', ({ name }) => {
  const id = /^note:\/\/items\/([^/]+)\/text$/.exec(name)?.[1];
  return id === undefined ? ['notes:other'] : [`read:${id}`];
});
const ofShelf = telling('shelf', ({ name }) => (name.startsWith('shelf://hr/') ? ['hr:read'] : []));
const ofFolder = telling('folder', ({ arguments: { folder } }) => (folder === 'hr' ? ['hr:write'] : []));
const ofPurge = telling('purge', ({ arguments: { all } }) => (all === true ? ['notes:admin'] : []));

const text = (value: string) => {
  ran.push(value);
  return { content: [{ type: 'text' as const, text: value }] };
};

const contents = (uri: string, value: string) => {
  ran.push(value);
  return { contents: [{ uri, mimeType: 'text/plain', text: value }] };
};

const folderParameters = z.object({ folder: z.string().default('hr'), times: z.coerce.number().default(1) });

/** Needs what no decorator says. */
@Injectable()
class StricterGuard extends BearerAuthGuard {
  protected override getRequiredScopes() {
    return ['notes:strict'];
  }
}

/** Asks a function that no decorator names. */
@Injectable()
class AskingGuard extends BearerAuthGuard {
  protected override getRequiredScopes(context: ExecutionContext) {
    return [...super.getRequiredScopes(context), ofPurge];
  }
}

/** Adds to the list of the base class itself, against its type. */
@Injectable()
class AddingGuard extends BearerAuthGuard {
  protected override getRequiredScopes(context: ExecutionContext) {
    const scopes = super.getRequiredScopes(context) as ScopeRequirement[];
    scopes.push('notes:strict');
    return scopes;
  }
}

type Pipeline = (payload: unknown, context: unknown) => Promise<unknown>;

@McpController()
class Handlers {
  @Inject('STRATEGY') private readonly strategy!: McpStrategy;

  @Template({ uriTemplate: 'folder://{folder}', name: 'folder', mimeType: 'text/plain' })
  @RequireScopes(ofFolderUri)
  folder(@Payload() { uri, folder }: { uri: string; folder: string }) {
    return contents(uri, folder);
  }

  @Template({ uriTemplate: 'note://items/{id}/text', name: 'note', mimeType: 'text/plain' })
  @RequireScopes(ofNote)
  note(@Payload() { uri, id }: { uri: string; id: string }) {
    return contents(uri, `note ${id}`);
  }

  @Tool({ name: 'write', description: 'Write', parameters: folderParameters })
  @RequireScopes(ofFolder)
  write(@Payload() { folder, times }: { folder: string; times: number }) {
    return text(`write ${folder} ${String(times)}`);
  }

  @Prompt({ name: 'greet', description: 'Greet', parameters: z.object({ folder: z.string() }) })
  @RequireScopes(ofFolder)
  greet() {
    return { messages: [{ role: 'user' as const, content: text('greet').content[0]! }] };
  }

  @Tool({ name: 'strict', description: 'Strict', parameters: z.object({}) })
  @UseGuards(StricterGuard)
  strict() {
    return text('strict');
  }

  @Tool({ name: 'added', description: 'Added', parameters: z.object({}) })
  @RequireScopes('notes:write')
  @UseGuards(AddingGuard)
  added() {
    return text('added');
  }

  @Resource({ uri: 'added://lists/items/1', name: 'added', mimeType: 'text/plain' })
  @RequireScopes('notes:write')
  @UseGuards(AddingGuard)
  addedItem(@Payload() { uri }: { uri: string }) {
    return contents(uri, 'added item');
  }

  @Tool({ name: 'purge', description: 'Purge', parameters: z.object({ all: z.boolean().optional() }) })
  @UseGuards(AskingGuard)
  purge(@Payload() { all = false }: { all?: boolean }) {
    return text(`purge ${String(all)}`);
  }

  /** Calls another handler as its transport would, with arguments of its own. */
  @Tool({ name: 'outer', description: 'Outer', parameters: z.object({ folder: z.string() }) })
  async outer(@Payload() payload: unknown, @Ctx() context: unknown) {
    const handlers = [...this.strategy.getHandlers().values()];
    const write = handlers.find(({ extras }) => extras?.['mcpName'] === 'write') as unknown as Pipeline;
    await firstValueFrom(this.strategy.transformToObservable(await write(payload, context)));
    return text('outer');
  }
}

@McpController()
@RequireScopes(ofShelf)
class Shelves {
  @Template({ uriTemplate: 'shelf://hr/{id}', name: 'hr', mimeType: 'text/plain' })
  hr(@Payload() { uri, id }: { uri: string; id: string }) {
    return contents(uri, `hr ${id}`);
  }

  @Template({ uriTemplate: 'shelf://it/{id}', name: 'it', mimeType: 'text/plain' })
  it(@Payload() { uri, id }: { uri: string; id: string }) {
    return contents(uri, `it ${id}`);
  }
}

/** Its first guard authorizes the route, before the second one adds a scope. */
@Controller('notes/added')
@UseGuards(BearerAuthGuard)
class AddedRoute {
  @Get()
  @RequireScopes('notes:write')
  @UseGuards(AddingGuard)
  read(): string {
    ran.push('added route');
    return 'read';
  }
}

@Controller('notes/routes')
@RequireScopes(ofFolder)
class Routes {
  @Get()
  @RequireScopes(ofFolder)
  read(): string {
    return 'read';
  }
}

/** The same of the SDK's servers. */
@Injectable()
class Declared extends McpHandlerSource {
  declarations() {
    return [
      { kind: 'resource', name: 'folder://{folder}', requirements: [ofFolderUri] },
      { kind: 'resource', name: 'note://items/{id}/text', requirements: [ofNote, 'notes:read'] },
      { kind: 'tool', name: 'write', requirements: [ofFolder] },
    ] as const;
  }
}

function v2(): McpServer {
  const server = new McpServer({ name: 'n', version: '1' });
  const folders = new ResourceTemplate('folder://{folder}', { list: undefined });
  server.registerResource('folder', folders, {}, ({ href }, { folder }) => contents(href, String(folder)));
  const notes = new ResourceTemplate('note://items/{id}/text', {
    list: undefined,
    complete: { id: (value) => [`${value}1`] },
  });
  server.registerResource('note', notes, {}, ({ href }, { id }) => contents(href, `note ${String(id)}`));
  const inputSchema = z.object({ folder: z.string().default('hr') });
  server.registerTool('write', { inputSchema }, ({ folder }) => text(`write ${folder} 1`));
  server.registerPrompt(
    'greet',
    { argsSchema: z.object({ who: completable(z.string(), () => []) }) },
    () => ({
      messages: [],
    }),
  );
  return server;
}

function v1(): McpServerV1 {
  const server = new McpServerV1({ name: 'n', version: '1' });
  const folders = new ResourceTemplateV1('folder://{folder}', { list: undefined });
  server.registerResource('folder', folders, {}, ({ href }, { folder }) => contents(href, String(folder)));
  return server;
}

interface Serving extends Pick<ModuleMetadata, 'controllers' | 'providers'> {
  readonly connect?: (app: INestApplication) => Promise<void>;
}

function nest(options: { mount?: boolean } = {}): Serving {
  const transport = new StreamableHttpTransport({ endpoint: 'notes', ...options });
  const strategy = new McpStrategy({ name: 'n', version: '1', transports: [transport], logging: false });
  const controllers: Type[] = [Handlers, Shelves, Routes, AddedRoute];
  if (!options.mount) {
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class Endpoint extends McpHttpControllerFor(transport) {}
    controllers.push(Endpoint);
  }
  return {
    controllers,
    providers: [StricterGuard, AskingGuard, AddingGuard, { provide: 'STRATEGY', useValue: strategy }],
    connect: async (app) => {
      strategy.setHttpAdapter(app.getHttpAdapter());
      app.connectMicroservice({ strategy });
      await app.startAllMicroservices();
    },
  };
}

const ofSdk = (controller: Type): Serving => ({ controllers: [controller], providers: [Declared] });

const EARLY = { earlyAuthentication: true };

const SERVERS: readonly [string, () => Serving, Partial<McpAuthModuleOptions>][] = [
  ['mcp-nest', nest, {}],
  ['mcp-nest, early authentication', nest, EARLY],
  ['mcp-nest, self-mounted', () => nest({ mount: true }), EARLY],
  ['SDK v2', () => ofSdk(v2Controller(v2)), {}],
  ['SDK v2, early authentication', () => ofSdk(v2Controller(v2)), EARLY],
  ['SDK v1', () => ofSdk(v1Stateless(v1)), {}],
];

/** Other spellings of `folder://hr`, each of which some transport takes for it. */
const SPELLINGS = [
  'folder://hr',
  'folder://%68r',
  'folder://h%72',
  'folder://%68%72',
  'FOLDER://hr',
  'x://hr',
  'hr',
  '%68r',
  'fol\tder://hr',
  'folder:\n//hr',
  ' folder://hr',
  'folder://hr\n',
  'folder://hr/',
  'folder://hr?a=1',
  'folder://hr#a',
  'folder://hr://it',
  'folder://%68r?a=%FF',
  'folder://%68r%FF',
];

describe.each(PLATFORMS)('a function among the scopes, on %s', (platform) => {
  const { insufficientScope } = notesRejections('notes:read');
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  beforeEach(() => {
    told.length = 0;
    ran.length = 0;
  });

  async function started([, make, options]: (typeof SERVERS)[number]): Promise<RunningApp> {
    const { connect, ...parts } = make();
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const app = await startApp({ resources, ...options }, { ...parts, prepare: connect, platform });
    return closeAfterTest(app);
  }

  const poster =
    (app: RunningApp) =>
    async (scope: string, body: unknown, version = MCP_HEADERS['mcp-protocol-version']) =>
      app.send('/notes', {
        method: 'POST',
        headers: {
          ...MCP_HEADERS,
          'mcp-protocol-version': version,
          authorization: `Bearer ${await as.token({ aud: NOTES, scope })}`,
        },
        body,
      });

  const read = (uri: string) => message('resources/read', { uri });

  describe.each(SERVERS)('with %s', (...server) => {
    const isNest = server[0].startsWith('mcp-nest');

    verifies('WAY-04', 'sees every spelling of a URI that reaches the same handler', async () => {
      const post = poster(await started(server));
      for (const uri of SPELLINGS) {
        const rejected = rejectedAs(await post('notes:read', read(uri)));
        expect([uri, rejected]).toEqual([uri, insufficientScope('notes:read hr:read')]);
      }
      expect(ran).toEqual([]);
      expect(told.every(({ call }) => !call.name.includes('{'))).toBe(true);
      for (const uri of ['folder://hr', 'folder://%68r', ' folder://hr']) {
        expect((await post('notes:read hr:read', read(uri))).status).toBe(200);
      }
      told.length = 0;
      for (const uri of ['folder://it', 'folder://hrx']) {
        expect((await post('notes:read', read(uri))).status).toBe(200);
      }
      expect(toldTo('uri').map(({ name }) => name)).toEqual(['folder://it', 'folder://hrx']);
    });

    verifies(
      ['WAY-26', 'WAY-04'],
      'sees the URI of a template once, and nothing but what is declared',
      async () => {
        if (server[0] === 'SDK v1') return;
        const post = poster(await started(server));
        const uri = 'note://items/1/text';
        const answer = await post('notes:read read:1', read(uri));
        expect([answer.status, ran]).toEqual([200, ['note 1']]);
        expect(toldTo('note')).toEqual([
          { kind: 'resource', name: uri, method: 'resources/read', arguments: {} },
        ]);
        expect(rejectedAs(await post('notes:read read:1', read('note://items/2/text')))).toEqual(
          insufficientScope('notes:read read:2'),
        );
        expect(ran).toEqual(['note 1']);
      },
    );

    verifies('WAY-26', 'sees arguments as they were sent, once', async () => {
      if (server[0] === 'SDK v1') return;
      const post = poster(await started(server));
      for (const args of [{}, { folder: 'it', times: '2' }]) {
        told.length = 0;
        const answer = await post('notes:read', toolCall('write', 1, args));
        expect([answer.status, answer.text.includes('isError')]).toEqual([200, false]);
        expect(toldTo('folder')).toEqual([
          { kind: 'tool', name: 'write', method: 'tools/call', arguments: args },
        ]);
      }
      expect(ran).toEqual(isNest ? ['write hr 1', 'write it 2'] : ['write hr 1', 'write it 1']);
      const hr = rejectedAs(await post('notes:read', toolCall('write', 1, { folder: 'hr' })));
      expect(hr).toEqual(insufficientScope('notes:read hr:write'));
      expect(ran).toHaveLength(2);
    });

    verifies('WAY-26', 'sees each call of a batch once', async () => {
      if (!isNest) return;
      const post = poster(await started(server));
      const batch = (...folders: string[]) =>
        folders.map((folder, index) => toolCall('write', index, { folder }));
      const good = await post('notes:read', batch('it', 'it', 'ops'), '2025-03-26');
      expect([good.status, (good.json as unknown[]).length]).toEqual([200, 3]);
      expect(told).toHaveLength(3);
      expect(ran).toHaveLength(3);
      const bad = rejectedAs(await post('notes:read', batch('it', 'hr'), '2025-03-26'));
      expect(bad).toEqual(insufficientScope('notes:read hr:write'));
      expect(ran).toHaveLength(3);
    });

    verifies('WAY-26', 'sees a completion by its method, and asks for no scope of a template', async () => {
      if (!server[0].startsWith('SDK v2')) return;
      const post = poster(await started(server));
      const complete = (uri: string) =>
        message('completion/complete', {
          ref: { type: 'ref/resource', uri },
          argument: { name: 'id', value: '' },
          arguments: { id: '1' },
        });
      const answer = await post('notes:read', complete('note://items/{id}/text'));
      expect([answer.status, toldTo('note')]).toEqual([
        200,
        [{ kind: 'resource', name: 'note://items/{id}/text', method: 'completion/complete', arguments: {} }],
      ]);
      // What is no template of the server completes nothing.
      await post('notes:read', complete('note://items/{other}/text'));
      expect(toldTo('note')[1]?.name).toBe('note://items/{id}/text');
    });
  });

  verifies('WAY-04', 'sees the fixed parts of a template as the template has them', async () => {
    const post = poster(await started(SERVERS[0]!));
    for (const uri of [
      'shelf://hr/1',
      'shelf://HR/1',
      'SHELF://Hr/1/',
      'x://hR/1',
      'HR/1',
      'shelf://HR/1?a',
    ]) {
      const rejected = rejectedAs(await post('notes:read', read(uri)));
      expect([uri, rejected]).toEqual([uri, insufficientScope('notes:read hr:read')]);
    }
    expect(ran).toEqual([]);
    expect((await post('notes:read', read('shelf://IT/1'))).status).toBe(200);
    expect(ran).toEqual(['it 1']);
  });

  verifies('WAY-26', 'decides on a handler that is called within another by what it is handed', async () => {
    const app = await started(SERVERS[0]!);
    const post = poster(app);
    expect((await post('notes:read', toolCall('outer', 1, { folder: 'it' }))).status).toBe(200);
    expect(ran.splice(0)).toEqual(
      ['write it 1', 'outer'].map((each) => each.replace('it 1', 'it undefined')),
    );
    const outer = toolCall('outer', 1, { folder: 'hr' });
    expect(rejectedAs(await post('notes:read', outer))).toEqual(insufficientScope('notes:read hr:write'));
    // Nor is it helped by a call that was sent beside it, whatever its id.
    for (const id of [1, 2]) {
      const batch = [outer, toolCall('write', id, { folder: 'it' })];
      await post('notes:read', batch, '2025-03-26');
      expect([id, ran.splice(0)]).toEqual([id, ['write it 1']]);
    }
    expect((await post('notes:read hr:write', outer)).status).toBe(200);
    expect(ran.splice(0)).toEqual(['write hr undefined', 'outer']);
  });

  verifies(
    'WAY-26',
    'is the 403 with its challenge where only the guard around the handler asks',
    async () => {
      const app = await started(SERVERS[0]!);
      const post = poster(app);
      const denied: string[] = [];
      app.app.get(McpAuthEvents).events$.subscribe((event) => {
        if (event.type !== 'request_completed') denied.push(event.type);
      });
      const rejected = rejectedAs(await post('notes:read', toolCall('strict')));
      expect(rejected).toEqual(insufficientScope('notes:read notes:strict'));
      expect([ran, denied.splice(0)]).toEqual([[], ['access_granted', 'access_denied']]);
      expect((await post('notes:read notes:strict', toolCall('strict'))).status).toBe(200);
      expect([ran, denied]).toEqual([['strict'], ['access_granted']]);
    },
  );

  verifies('SCP-21', 'is not bypassed by a guard that changes the list of its base class', async () => {
    const app = await started(SERVERS[0]!);
    const post = poster(app);
    const scope = 'notes:read notes:write';
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES, scope })}` };
    const calls = [
      () => post(scope, toolCall('added')),
      () => post(scope, read('added://lists/items/1')),
      () => app.send('/notes/added', { headers }),
    ];
    const statuses: number[] = [];
    for (const call of [...calls, ...calls]) statuses.push((await call()).status);
    // The list is frozen, so such a guard throws. Around a handler of MCP this is a JSON-RPC error.
    expect([statuses, ran]).toEqual([[200, 200, 500, 200, 200, 500], []]);
  });

  verifies('WAY-41', 'sees the own arguments of a call that has others of its tool beside it', async () => {
    const post = poster(await started(SERVERS[0]!));
    const some = toolCall('purge', 1, {});
    const all = toolCall('purge', 2, { all: true });
    const notification = { ...some, id: undefined };
    for (const batch of [
      [notification, all],
      [all, notification],
    ]) {
      await post('notes:read', batch, '2025-03-26');
      expect(ran).toEqual([]);
      expect((await post('notes:read notes:admin', batch, '2025-03-26')).status).toBe(200);
      expect(ran.splice(0)).toEqual(['purge true']);
    }
    for (const batch of [
      [some, all],
      [all, some],
    ]) {
      await post('notes:read', batch, '2025-03-26');
      expect(ran.splice(0)).toEqual(['purge false']);
    }
    expect(rejectedAs(await post('notes:read', [all], '2025-03-26'))).toEqual(
      insufficientScope('notes:read notes:admin'),
    );
    told.length = 0;
    const equal = await post('notes:read', [some, toolCall('purge', 2, {})], '2025-03-26');
    expect([equal.status, (equal.json as unknown[]).length]).toEqual([200, 2]);
    expect([ran, toldTo('purge').length]).toEqual([['purge false', 'purge false'], 2]);
  });

  verifies('WAY-26', 'sees a route once, with its HTTP method', async () => {
    const app = await started(SERVERS[0]!);
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}` };
    expect((await app.send('/notes/routes', { headers })).text).toBe('read');
    expect(toldTo('folder')).toEqual([{ kind: 'route', name: 'Routes.read', method: 'GET', arguments: {} }]);
  });
});
