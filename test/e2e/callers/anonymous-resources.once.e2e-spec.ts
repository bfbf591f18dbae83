import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { All, Controller, Injectable, Req, Res, type Type, UseGuards } from '@nestjs/common';
import { McpController, Prompt, Resource, ResourceTemplate, Tool } from '@rekog/mcp-nest';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  AllowAnonymous,
  BearerAuthGuard,
  LIFECYCLE_METHODS,
  McpAuthConfigError,
  type McpAuthModuleOptions,
  McpHandlerSource,
  ProtectedResource,
  type ProtectedResourceOptions,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { type AppParts, PLATFORMS, type RunningApp, startApp, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing } from '../../fixtures/config-problems.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, type Rejected, rejectedAs } from '../../fixtures/notes-rejections.js';
import { message } from '../../fixtures/operations-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES, ORIGIN, PRM } from '../../fixtures/resources.js';
import { ran, serve } from '../../fixtures/transport-servers.js';
import { verifies } from '../../verifies.js';

const parameters = z.object({});
const anonymousMethods = LIFECYCLE_METHODS;
const { noToken } = notesRejections('');
const noTokenOfAdmin: Rejected = {
  ...noToken,
  challenge: `Bearer resource_metadata="${ORIGIN}${PRM}/admin"`,
};

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.length = 0;
});

const LIST = message('tools/list', {});
const readOf = (uri: string): object => message('resources/read', { uri });

/** The result in a JSON body, or in the only event of a stream. */
function resultOf({ text, json }: HttpAnswer): Record<string, Record<string, unknown>[]> {
  const event = /^data: (.+)$/m.exec(text)?.[1] ?? 'null';
  return ((json ?? JSON.parse(event)) as { result: Record<string, Record<string, unknown>[]> }).result;
}

/** The schemes of each tool that a list names. */
const schemesIn = (answer: HttpAnswer): unknown =>
  Object.fromEntries(
    (resultOf(answer)['tools'] ?? []).map(({ name, securitySchemes }) => [name, securitySchemes]),
  );

/** Tools of one server, of which `list` is open to everybody. */
class Tools {
  @Tool({ name: 'list', description: 'List', parameters })
  @AllowAnonymous()
  list() {
    return serve.tool('list of notes');
  }

  @Tool({ name: 'mine', description: 'Mine', parameters })
  mine() {
    return serve.tool('mine');
  }
}

@McpController()
class UnnamedTools extends Tools {}

@McpController()
@ProtectedResource('notes')
class NotesTools extends Tools {}

type Requested = IncomingMessage & { readonly raw?: IncomingMessage; readonly body?: unknown };
type Responded = ServerResponse & { readonly raw?: ServerResponse; hijack?(): void };

/** Another server, of the SDK: nothing of the package knows its tools unless a source declares them. */
function adminEndpoint(): Type {
  const handle = toNodeHandler(
    createMcpHandler(() => {
      const server = new McpServer({ name: 'admin', version: '1.0.0' });
      for (const name of ['list', 'other'])
        server.registerTool(name, { description: name }, () => serve.tool(`${name} of admin`));
      server.registerResource('page', 'doc://page', {}, ({ href }) => serve.resource('page of admin', href));
      return server;
    }),
  );
  @Controller('admin')
  @UseGuards(BearerAuthGuard)
  @ProtectedResource('admin')
  class AdminEndpoint {
    @All()
    async serve(@Req() request: Requested, @Res() response: Responded): Promise<void> {
      response.hijack?.();
      const node = (request.raw ?? request) as Parameters<typeof handle>[0];
      await handle(node, response.raw ?? response, request.body);
    }
  }
  return AdminEndpoint;
}

/** A source that declares these tools. */
function declaring(...given: ReturnType<McpHandlerSource['declarations']>): Type<McpHandlerSource> {
  @Injectable()
  class Declared extends McpHandlerSource {
    declarations() {
      return given;
    }
  }
  return Declared;
}

const resources = (
  notes: Partial<ProtectedResourceOptions> = { anonymousMethods },
  admin: Partial<ProtectedResourceOptions> = notes,
): ProtectedResourceOptions[] => [
  { name: 'notes', resource: NOTES, authorizationServers: [as.issuer], ...notes },
  { name: 'admin', resource: ADMIN, authorizationServers: [as.issuer], ...admin },
];

describe.each(PLATFORMS)('callers without a token, on %s', (platform) => {
  const post = (app: RunningApp, path: string, body: unknown, headers: Record<string, string> = {}) =>
    app.send(path, { method: 'POST', body, headers: { ...MCP_HEADERS, ...headers } });

  describe('at one of several resources', () => {
    const parts = (tools: Type, ...providers: Type[]): AppParts => {
      const { controller, connect } = mcpEndpoint({}, ProtectedResource('notes'));
      return { controllers: [controller, tools, adminEndpoint()], providers, prepare: connect, platform };
    };
    const started = async (options: McpAuthModuleOptions, tools: Type, ...providers: Type[]) =>
      closeAfterTest(await startApp(options, parts(tools, ...providers)));

    verifies('CLI-22', 'run what is open there, and nothing of its name at another one', async () => {
      const app = await started({ resources: resources() }, NotesTools);
      expect((await post(app, '/notes', toolCall('list'))).text).toContain('list of notes');
      expect(ran).toEqual(['list of notes']);
      ran.length = 0;
      for (const name of ['list', 'other', 'mine'])
        expect(rejectedAs(await post(app, '/admin', toolCall(name)))).toEqual(noTokenOfAdmin);
      expect(rejectedAs(await post(app, '/notes', toolCall('mine')))).toEqual(noToken);
      expect(ran).toEqual([]);
      const oauth2 = [{ type: 'oauth2' }];
      expect(schemesIn(await post(app, '/notes', LIST))).toEqual({
        list: [{ type: 'noauth' }, { type: 'oauth2' }],
        mine: oauth2,
      });
      expect(schemesIn(await post(app, '/admin', LIST))).toEqual({ list: oauth2, other: oauth2 });
      // A token for that resource does not open it either: the name is taken.
      const authorization = `Bearer ${await as.token({ aud: ADMIN })}`;
      expect((await post(app, '/admin', toolCall('list'), { authorization })).status).toBe(403);
      expect((await post(app, '/admin', toolCall('other'), { authorization })).status).toBe(200);
      expect(ran).toEqual(['other of admin']);
    });

    verifies(
      'CLI-22',
      'run what a source declares open there, and no other resource of its form',
      async () => {
        const open = { requirements: [], allowAnonymous: true };
        const source = declaring(
          { kind: 'tool', name: 'other', resource: 'admin', ...open },
          { kind: 'tool', name: 'list', resource: 'admin', requirements: [] },
          { kind: 'resource', name: 'doc://{id}', resource: NOTES, ...open },
        );
        @McpController()
        @ProtectedResource('notes')
        class OwnTools {
          @Tool({ name: 'mine', description: 'Mine', parameters })
          mine() {
            return serve.tool('mine');
          }
        }
        const app = await started({ resources: resources() }, OwnTools, source);
        expect((await post(app, '/admin', toolCall('other'))).status).toBe(200);
        expect(ran).toEqual(['other of admin']);
        ran.length = 0;
        for (const body of [toolCall('list'), readOf('doc://page'), toolCall('mine')])
          expect(rejectedAs(await post(app, '/admin', body))).toEqual(noTokenOfAdmin);
        for (const body of [toolCall('other'), toolCall('mine'), readOf('doc://a/b')])
          expect(rejectedAs(await post(app, '/notes', body))).toEqual(noToken);
        expect(ran).toEqual([]);
        const there = declaring({ kind: 'resource', name: 'doc://{id}', resource: 'admin', ...open });
        const opened = await started({ resources: resources() }, OwnTools, there);
        expect((await post(opened, '/admin', readOf('doc://page'))).status).toBe(200);
        expect(ran).toEqual(['page of admin']);
      },
    );

    verifies(
      'CLI-04',
      'find no noauth in the list of an open resource for a tool of another one',
      async () => {
        const app = await started({ resources: resources({ allowAnonymous: true }) }, NotesTools);
        expect(schemesIn(await post(app, '/admin', LIST))).toEqual({
          list: [{ type: 'oauth2' }],
          other: [{ type: 'noauth' }],
        });
        expect((await post(app, '/admin', toolCall('list'))).status).toBe(403);
        expect((await post(app, '/admin', toolCall('other'))).status).toBe(200);
      },
    );

    verifies(
      'CLI-30',
      'need an open handler that names its resource, or the application does not start',
      async () => {
        const source = declaring({ kind: 'tool', name: 'other', requirements: [], allowAnonymous: true });
        for (const [notes, admin] of [
          [{ anonymousMethods }, {}],
          [{}, { anonymousMethods }],
        ] as const) {
          const options = { resources: resources(notes, admin) };
          const failure = (tools: Type, ...providers: Type[]) =>
            startFailure(options, parts(tools, ...providers));
          const error = await failure(UnnamedTools);
          expect(error).toBeInstanceOf(McpAuthConfigError);
          expect(error.message).toBe(
            listing(
              'UnnamedTools.list: has @AllowAnonymous() and does not say at which resource, of which one has ' +
                '"anonymousMethods"; add @ProtectedResource() with one of "notes", "admin"',
            ),
          );
          expect((await failure(NotesTools, source)).message).toBe(
            listing(
              'Declared.declarations()[0].resource: must be there beside "allowAnonymous", because there are several resources ' +
                `and one has "anonymousMethods"; declare the handler once for each resource that serves it, with one of "notes", ` +
                `"${NOTES}", "admin", "${ADMIN}"`,
            ),
          );
        }
        // Where no resource has the option, the decorator opens nothing.
        const app = await started(
          { resources: resources({}, { allowAnonymous: true }) },
          UnnamedTools,
          source,
        );
        expect(rejectedAs(await post(app, '/notes', toolCall('list')))).toEqual(noToken);
        expect(schemesIn(await post(app, '/admin', LIST))).toEqual({
          list: [{ type: 'noauth' }, { type: 'oauth2' }],
          other: [{ type: 'noauth' }, { type: 'oauth2' }],
        });
      },
    );
  });

  /** Some of each kind, of which everybody may run those that are called open. */
  @McpController()
  class Mixed {
    @Tool({ name: 'open', description: 'Open', parameters })
    @AllowAnonymous()
    open() {
      return serve.tool('open');
    }

    @Tool({ name: 'plain', description: 'Plain', parameters })
    plain() {
      return serve.tool('plain');
    }

    @Tool({ name: 'guarded', description: 'Guarded', parameters })
    @UseGuards(BearerAuthGuard)
    guarded() {
      return serve.tool('guarded');
    }

    @Prompt({ name: 'open', description: 'Open' })
    @AllowAnonymous()
    openPrompt() {
      return serve.prompt();
    }

    @Prompt({ name: 'plain', description: 'Plain' })
    plainPrompt() {
      return serve.prompt();
    }

    @Resource({ uri: 'x://board/open', name: 'open', mimeType: 'text/plain' })
    @AllowAnonymous()
    board() {
      return serve.resource('board', 'x://board/open');
    }

    @Resource({ uri: 'x://board/plain', name: 'plain', mimeType: 'text/plain' })
    plainBoard() {
      return serve.resource('plain board', 'x://board/plain');
    }

    @ResourceTemplate({ uriTemplate: 'x://log/{y}-{m}-{d}', name: 'log', mimeType: 'text/plain' })
    @AllowAnonymous()
    log() {
      return serve.resource('log', 'x://log/1-2-3');
    }

    @ResourceTemplate({ uriTemplate: 'x://note/{id}', name: 'note', mimeType: 'text/plain' })
    note() {
      return serve.resource('note', 'x://note/1');
    }
  }

  describe('at a resource with anonymousMethods', () => {
    const started = async (more: Partial<McpAuthModuleOptions>, ...decorators: ClassDecorator[]) => {
      const { controller, connect } = mcpEndpoint({}, ...decorators);
      const options = {
        resources: { resource: NOTES, authorizationServers: [as.issuer], anonymousMethods },
        ...more,
      };
      const parts = { controllers: [controller, Mixed] };
      return closeAfterTest(await startApp(options, { ...parts, prepare: connect, platform }));
    };
    const LISTS = [
      ['tools/list', 'tools', 'name'],
      ['prompts/list', 'prompts', 'name'],
      ['resources/list', 'resources', 'uri'],
      ['resources/templates/list', 'resourceTemplates', 'uriTemplate'],
    ] as const;
    const seen = async (app: RunningApp, headers: Record<string, string> = {}): Promise<unknown> =>
      Object.fromEntries(
        await Promise.all(
          LISTS.map(async ([method, member, key]) => {
            const result = resultOf(await post(app, '/notes', message(method, {}), headers));
            return [member, result[member]?.map((entry) => entry[key])] as const;
          }),
        ),
      );
    const OPEN = {
      tools: ['open'],
      prompts: ['open'],
      resources: ['x://board/open'],
      resourceTemplates: ['x://log/{y}-{m}-{d}'],
    };
    const ALL = {
      tools: ['open', 'plain', 'guarded'],
      prompts: ['open', 'plain'],
      resources: ['x://board/open', 'x://board/plain'],
      resourceTemplates: ['x://log/{y}-{m}-{d}', 'x://note/{id}'],
    };

    verifies(['SCP-23', 'CLI-22'], 'see in lists with hidden entries what they may run', async () => {
      const app = await started({ listPolicy: 'hide' });
      expect(await seen(app)).toEqual(OPEN);
      expect(await seen(app, { authorization: `Bearer ${await as.token({ aud: NOTES })}` })).toEqual(ALL);
      const open = [
        toolCall('open'),
        message('prompts/get', { name: 'open' }),
        readOf('x://board/open'),
        readOf('x://log/1-2-3'),
      ];
      for (const body of open) expect([body, (await post(app, '/notes', body)).status]).toEqual([body, 200]);
      expect(ran).toEqual(['open', 'greet', 'board', 'log']);
      const closed = [
        toolCall('plain'),
        toolCall('guarded'),
        message('prompts/get', { name: 'plain' }),
        readOf('x://board/plain'),
        readOf('x://note/1'),
        readOf('x://log/1-2-3-4'),
        readOf('x://log/{y}-{m}-{d}'),
      ];
      for (const body of closed)
        expect([body, rejectedAs(await post(app, '/notes', body))]).toEqual([body, noToken]);
      expect(ran).toHaveLength(4);
    });

    verifies(['SCP-23', 'CLI-22'], 'see all that a route for everybody runs', async () => {
      const app = await started({ listPolicy: 'hide' }, AllowAnonymous());
      expect(await seen(app)).toEqual({ ...ALL, tools: ['open', 'plain'] });
      for (const name of ['open', 'plain'])
        expect((await post(app, '/notes', toolCall(name))).text).toContain('"result"');
      await post(app, '/notes', toolCall('guarded'));
      expect(ran).toEqual(['open', 'plain']);
      // Early authentication does not know the route.
      const early = await started({ listPolicy: 'hide', earlyAuthentication: true }, AllowAnonymous());
      expect(await seen(early)).toEqual(OPEN);
      expect(rejectedAs(await post(early, '/notes', toolCall('plain')))).toEqual(noToken);
    });

    verifies('CLI-22', 'take no time with long URIs, whether these are open or not', async () => {
      const app = await started({});
      await post(app, '/notes', readOf('x://log/1-2-3'));
      ran.length = 0;
      for (const [uri, status] of [
        [`x://log/a${'-'.repeat(60_000)}!`, 401],
        [`x://log/${'-a'.repeat(30_000)}`, 401],
        [`x://log/${'1'.repeat(60_000)}-2-3`, 200],
      ] as const) {
        const begun = performance.now();
        const answer = await post(app, '/notes', readOf(uri));
        expect(performance.now() - begun).toBeLessThan(1000);
        expect(answer.status).toBe(status);
      }
      expect(ran).toEqual(['log']);
    });
  });
});
