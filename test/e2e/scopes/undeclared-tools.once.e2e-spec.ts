import { Controller, Injectable, type Type, UseGuards } from '@nestjs/common';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  Prompt,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { z } from 'zod';
import {
  BearerAuthGuard,
  type McpAuthModuleOptions,
  McpHandlerSource,
  NoFurtherScopes,
  RequireScopes,
} from 'nestjs-mcp-auth';
import {
  type Platform,
  PLATFORMS,
  RecordingLogger,
  type RunningApp,
  start,
  startCreated,
  startFailure,
} from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing, problems } from '../../fixtures/config-problems.js';
import { MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES, offlineResource } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const ran: string[] = [];

const parameters = z.object({});

function text(name: string) {
  ran.push(name);
  return { content: [{ type: 'text' as const, text: name }] };
}

@McpController()
class Declared {
  @Tool({ name: 'open', description: 'Open', parameters })
  open() {
    return text('open');
  }

  @Tool({ name: 'purge', description: 'Purge', parameters })
  @RequireScopes('notes:admin')
  purge() {
    return text('purge');
  }
}

/** Declares one of the two tools that are registered at run time. */
@Injectable()
class LaterHandlers extends McpHandlerSource {
  declarations() {
    return [
      { kind: 'tool', name: 'later', requirements: ['notes:later'] },
      { kind: 'tool', name: 'free', requirements: [] },
    ] as const;
  }
}

/** A server whose tools are partly registered at run time. */
function server(): { endpoint: Type; strategy: McpStrategy; register: () => void } {
  const transport = new StreamableHttpTransport();
  const strategy = new McpStrategy({ name: 'n', version: '1', transports: [transport], logging: false });
  @Controller('notes')
  @UseGuards(BearerAuthGuard)
  class Endpoint extends McpHttpControllerFor(transport) {}
  const register = (): void => {
    for (const name of ['runtime', 'later', 'free']) {
      strategy.registerTool({
        name,
        description: name,
        parameters,
        handler: () => Promise.resolve(text(name)),
      });
    }
  };
  return { endpoint: Endpoint, strategy, register };
}

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.length = 0;
});

async function started(
  platform: Platform,
  more: Partial<McpAuthModuleOptions>,
  factoryOptions = {},
  providers: Type[] = [LaterHandlers],
) {
  const { endpoint, strategy, register } = server();
  const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
  const app = await startCreated(
    { resources, ...more },
    {
      platform,
      controllers: [endpoint, Declared],
      providers,
      factoryOptions,
      prepare: async (nest) => {
        strategy.setHttpAdapter(nest.getHttpAdapter());
        nest.connectMicroservice({ strategy });
        await nest.startAllMicroservices();
        register();
      },
    },
  );
  return app;
}

const post = (app: RunningApp, bearer: string | undefined, body: unknown, headers = {}) =>
  app.send('/notes', {
    method: 'POST',
    headers: {
      ...MCP_HEADERS,
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...headers,
    },
    body,
  });

const { insufficientScope, noToken } = notesRejections('notes:read');

const UNDECLARED = {
  status: 403,
  challenge: undefined,
  json: { error: 'forbidden_tool', error_description: 'This tool may not be called' },
};

describe.each(PLATFORMS)('tools that nothing declares, on %s', (platform) => {
  const reader = () => as.token({ aud: NOTES, scope: 'notes:read' });

  verifies('SCP-25', 'need a token with the scopes of the resource', async () => {
    const app = await started(platform, { undeclaredTools: 'allow' });
    expect(rejectedAs(await post(app, undefined, toolCall('runtime')))).toEqual(noToken);
    const other = await as.token({ aud: NOTES, scope: 'other' });
    expect((await post(app, other, toolCall('runtime'))).status).toBe(403);
    expect(ran).toEqual([]);
    expect((await post(app, await reader(), toolCall('runtime'))).status).toBe(200);
    expect(ran).toEqual(['runtime']);
  });

  verifies('SCP-25', 'are denied without a hint if the options say so, and no others', async () => {
    const app = await started(platform, { undeclaredTools: 'deny' });
    const bearer = await reader();
    expect(rejectedAs(await post(app, undefined, toolCall('runtime')))).toEqual(noToken);
    for (const name of ['runtime', 'nothing', 'Open', 'open ', '', '__proto__', 'constructor', 'toString']) {
      expect([name, rejectedAs(await post(app, bearer, toolCall(name)))]).toEqual([name, UNDECLARED]);
    }
    const oldest = { 'mcp-protocol-version': '2025-03-26' };
    const batch = [toolCall('open', 1), toolCall('runtime', 2)];
    expect(rejectedAs(await post(app, bearer, batch, oldest))).toEqual(UNDECLARED);
    const silent = { ...toolCall('runtime'), id: undefined };
    expect(rejectedAs(await post(app, bearer, silent))).toEqual(UNDECLARED);
    expect(ran).toEqual([]);
    expect(rejectedAs(await post(app, bearer, toolCall('purge')))).toEqual(
      insufficientScope('notes:read notes:admin'),
    );
    expect(rejectedAs(await post(app, bearer, toolCall('later')))).toEqual(
      insufficientScope('notes:read notes:later'),
    );
    for (const name of ['open', 'free']) {
      expect((await post(app, bearer, toolCall(name))).status).toBe(200);
    }
    expect(ran).toEqual(['open', 'free']);
    const unknown = { jsonrpc: '2.0', id: 1, method: 'prompts/get', params: { name: 'nothing' } };
    expect((await post(app, bearer, unknown)).status).toBe(200);
  });

  verifies(
    'WAY-11',
    'are denied once a source declares anything, a prompt or a tool of another name',
    async () => {
      @Injectable()
      class Mistyped extends McpHandlerSource {
        declarations() {
          return [{ kind: 'tool', name: 'runtme', requirements: ['notes:admin'] }] as const;
        }
      }
      @Injectable()
      class PromptOnly extends McpHandlerSource {
        declarations() {
          return [{ kind: 'prompt', name: 'greet', requirements: [] }] as const;
        }
      }
      @Injectable()
      class Empty extends McpHandlerSource {
        declarations() {
          return [];
        }
      }
      const bearer = await reader();
      for (const source of [Mistyped, PromptOnly]) {
        const app = await started(platform, {}, {}, [source]);
        expect(rejectedAs(await post(app, bearer, toolCall('runtime')))).toEqual(UNDECLARED);
        expect((await post(app, bearer, toolCall('open'))).status).toBe(200);
        expect(ran.splice(0)).toEqual(['open']);
        const allowing = await started(platform, { undeclaredTools: 'allow' }, {}, [source]);
        expect((await post(allowing, bearer, toolCall('runtime'))).status).toBe(200);
        expect(ran.splice(0)).toEqual(['runtime']);
      }
      for (const providers of [[], [Empty]]) {
        const app = await started(platform, {}, {}, providers);
        expect((await post(app, bearer, toolCall('runtime'))).status).toBe(200);
      }
      expect(ran).toEqual(['runtime', 'runtime']);
    },
  );

  verifies('WAY-11', 'are named in the log once each, escaped and up to a limit', async () => {
    const log = new RecordingLogger();
    const app = await started(platform, {}, { logger: log });
    const bearer = await reader();
    const named = () => log.warnings.filter((line) => line.includes('tool that nothing declares'));
    for (const name of ['add_nte', 'add_nte', 'a\nb']) await post(app, bearer, toolCall(name));
    expect(named()).toEqual(
      ['add_nte', 'a\\u000ab'].map(
        (name) =>
          'Denied a call of a tool that nothing declares; if it exists, declare it by a decorator or an McpHandlerSource, ' +
          `or set "undeclaredTools" to "allow": "${name}"`,
      ),
    );
    for (let index = 0; index < 20; index++) await post(app, bearer, toolCall(`made-up-${String(index)}`));
    expect(named()).toHaveLength(10);
    expect((await post(app, bearer, toolCall('x'.repeat(5000)))).status).toBe(403);
    expect(ran).toEqual([]);
  });

  verifies('SCP-25', 'are denied to anonymous callers in the same way', async () => {
    const resources = { resource: NOTES, authorizationServers: [as.issuer], allowAnonymous: true };
    const app = await started(platform, { resources, undeclaredTools: 'deny' });
    expect(rejectedAs(await post(app, undefined, toolCall('runtime')))).toEqual(UNDECLARED);
    expect((await post(app, undefined, toolCall('open'))).status).toBe(200);
    expect(ran).toEqual(['open']);
  });

  verifies('SCP-25', 'do not run where the guard cannot read the call', async () => {
    if (platform === 'fastify') return;
    const app = await started(platform, { undeclaredTools: 'deny' }, { bodyParser: false });
    expect((await post(app, await reader(), toolCall('runtime'))).status).toBe(500);
    expect(ran).toEqual([]);
  });

  verifies(['SCP-22', 'SCP-21'], 'do not concern methods that run no handler', async () => {
    const app = await started(platform, { undeclaredTools: 'deny' });
    const ask = (bearer: string | undefined, method: string) =>
      post(app, bearer, { jsonrpc: '2.0', id: 1, method, params: {} });
    const none = await as.token({ aud: NOTES, scope: 'other' });
    for (const method of [
      'tools/list',
      'ping',
      'logging/setLevel',
      'server/discover',
      'tasks/get',
      'tasks/result',
      'tasks/update',
      'tasks/cancel',
      'tasks/list',
      'no/such',
      'Tools/Call',
    ]) {
      expect([method, rejectedAs(await ask(undefined, method))]).toEqual([method, noToken]);
      const { status, challenge } = rejectedAs(await ask(none, method));
      expect([method, status, challenge]).toEqual([
        method,
        403,
        expect.stringContaining(' scope="notes:read", '),
      ]);
      const answer = await ask(await reader(), method);
      expect([method, answer.status]).toEqual([method, 200]);
      expect(answer.headers['www-authenticate']).toBeUndefined();
    }
    expect((await ask(await reader(), 'no/such')).text).toContain('-32601');
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const body = { jsonrpc: '2.0', id: 1, method: 'no/such', params: { _meta } };
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'no/such' };
    const modern = await post(app, await reader(), body, headers);
    expect([modern.status, modern.json]).toEqual([
      404,
      expect.objectContaining({ error: expect.objectContaining({ code: -32601 }) as object }),
    ]);
  });
});

describe('undecoratedTools', () => {
  const options = { resources: offlineResource(NOTES), undecoratedTools: 'deny' } as const;
  const SILENT =
    'is a tool that says nothing of scopes, and "undecoratedTools" is "deny"; add @RequireScopes(), or @NoFurtherScopes() ' +
    'if the scopes of the resource suffice';

  verifies(
    'WAY-11',
    'fails startup by deny where a tool says nothing of scopes, and no other handler',
    async () => {
      @McpController()
      class Stated {
        @Tool({ name: 'free', description: 'Free', parameters })
        @NoFurtherScopes()
        free() {
          return text('free');
        }

        @Tool({ name: 'scoped', description: 'Scoped', parameters })
        @RequireScopes(() => [])
        scoped() {
          return text('scoped');
        }

        @Prompt({ name: 'greet', description: 'Greet' })
        greet() {
          return { messages: [] };
        }
      }
      @McpController()
      @NoFurtherScopes()
      class AllFree {
        @Tool({ name: 'all_free', description: 'Free', parameters })
        free() {
          return text('free');
        }

        @Tool({ name: 'but_one', description: 'One', parameters })
        @RequireScopes('notes:admin')
        one() {
          return text('one');
        }
      }
      @McpController()
      class Below extends AllFree {}
      await start(options, { controllers: [Stated, AllFree] });
      const error = await startFailure(options, { controllers: [Declared, Stated, AllFree, Below] });
      expect(error.message).toBe(listing(`Declared.open: ${SILENT}`, `Below.free: ${SILENT}`));
      await start({ ...options, undecoratedTools: 'allow' }, { controllers: [Declared, Below] });
    },
  );

  verifies('WAY-11', 'fails startup where a tool says both', async () => {
    @McpController()
    @RequireScopes('notes:write')
    class Both {
      @Tool({ name: 'both', description: 'Both', parameters })
      @NoFurtherScopes()
      both() {
        return text('both');
      }
    }
    const error = await startFailure({ resources: offlineResource(NOTES) }, { controllers: [Both] });
    expect(error.message).toBe(
      listing(
        'Both.both: has both @NoFurtherScopes() and @RequireScopes(), of its own or its class; keep one of them',
      ),
    );
  });

  verifies('WAY-11', 'is allow or deny', async () => {
    const wrong = { ...options, undecoratedTools: 'reject' } as unknown as McpAuthModuleOptions;
    expect(await problems(wrong)).toContain('undecoratedTools');
  });
});

describe('undeclaredTools', () => {
  verifies('SCP-25', 'is allow or deny', async () => {
    const options = { resources: offlineResource(NOTES), undeclaredTools: 'reject' };
    expect(await problems(options as unknown as McpAuthModuleOptions)).toContain('undeclaredTools');
  });
});
