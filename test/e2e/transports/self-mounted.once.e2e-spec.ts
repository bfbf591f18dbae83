import { Injectable, type INestApplication, type Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { McpAuthConfigError, type McpAuthModuleOptions, McpHandlerSource } from 'nestjs-mcp-auth';
import { type AppParts, PLATFORMS, type RunningApp, startCreated, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing } from '../../fixtures/config-problems.js';
import { MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { ADMIN, NOTES, offlineResource } from '../../fixtures/resources.js';
import { PlainTools, ran, ScopedTools, selfMounted } from '../../fixtures/self-mounted.js';
import { verifies } from '../../verifies.js';

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.length = 0;
});

const { insufficientScope, invalidToken, noToken } = notesRejections('notes:read');

const early = (more: Partial<McpAuthModuleOptions> = {}): McpAuthModuleOptions => ({
  resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
  earlyAuthentication: true,
  ...more,
});
const token = (scope: string) => as.token({ aud: NOTES, scope });

/** A request as of MCP 2025-11-25. */
const post = (app: RunningApp, bearer: string | undefined, body: unknown, headers = {}, path = '/notes') =>
  app.send(path, {
    method: 'POST',
    headers: {
      ...MCP_HEADERS,
      'content-type': 'application/json',
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...headers,
    },
    body,
  });

/** A request as of MCP 2026-07-28. */
const modern = (app: RunningApp, bearer: string, call: object, headers = {}) => {
  const { params, ...rest } = call as { params: { name: string } };
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const mirrored = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': params.name,
  };
  return post(app, bearer, { ...rest, params: { ...params, _meta } }, { ...mirrored, ...headers });
};

function rejection(at: string, below = '/notes'): string {
  return listing(
    `StreamableHttpTransport: mounts a route of its own at ${at}, which no guard covers; let a controller own it: ` +
      '@UseGuards(BearerAuthGuard) class Endpoint extends McpHttpControllerFor(transport); or set ' +
      `"earlyAuthentication" and mount it at or below ${below}`,
  );
}

describe.each(PLATFORMS)('a route that @rekog/mcp-nest mounts itself, on %s', (platform) => {
  const offline = { resources: offlineResource(NOTES) };
  const failure = (options: McpAuthModuleOptions, controllers: Type[], mounting: object) =>
    startFailure(options, { controllers, prepare: selfMounted(mounting), platform });

  verifies('SCP-28', 'fails startup if nothing covers it, whatever scopes its tools name', async () => {
    for (const controllers of [[ScopedTools], [PlainTools], []]) {
      for (const mounting of [{ mount: true, endpoint: 'notes' }, { endpoint: 'notes' }]) {
        const error = await failure(offline, controllers, mounting);
        expect(error).toBeInstanceOf(McpAuthConfigError);
        expect(error.message).toBe(rejection('/notes'));
      }
    }
    expect((await failure(offline, [PlainTools], {})).message).toBe(rejection('/mcp'));
  });

  verifies('SCP-28', 'fails startup if it is not at or below the path of a resource', async () => {
    const both = {
      resources: [offlineResource(NOTES), offlineResource(ADMIN)],
      earlyAuthentication: true,
    };
    for (const endpoint of ['/mcp', '/note', '/notesx', '/notes*rest', '/{notes}', '/:notes', '/x/:notes']) {
      const error = await failure(both, [PlainTools], { mount: true, endpoint });
      expect(error.message).toBe(rejection(endpoint, '/notes or /admin'));
    }
    for (const endpoint of ['/notes', '/Notes', '/notes/mcp', '/admin/']) {
      const app = await startCreated(both, {
        platform,
        controllers: [PlainTools],
        prepare: selfMounted({ mount: true, endpoint }),
      });
      expect((await post(app, undefined, toolCall('open'), {}, endpoint)).status).toBe(401);
      expect(
        (await post(app, undefined, toolCall('open'), {}, endpoint.toUpperCase())).status,
      ).toBeGreaterThan(400);
    }
    expect(ran).toEqual([]);
  });

  verifies('SCP-28', 'does not exist in an application that goes on after the failure', async () => {
    const app = await startCreated(offline, {
      platform,
      controllers: [PlainTools],
      prepare: async (nest) => {
        await expect(selfMounted({ mount: true, endpoint: 'mcp' })(nest)).rejects.toBeInstanceOf(
          McpAuthConfigError,
        );
      },
    });
    expect((await post(app, undefined, toolCall('open'), {}, '/mcp')).status).toBe(404);
    expect(ran).toEqual([]);
  });

  const started = (parts: AppParts = {}, options = early()) => {
    const { prepare, ...more } = parts;
    return startCreated(options, {
      platform,
      controllers: [ScopedTools],
      ...more,
      prepare: async (nest) => {
        await prepare?.(nest);
        await selfMounted({ mount: true, endpoint: 'notes' })(nest);
      },
    });
  };

  verifies(
    ['SCP-28', 'SCP-01'],
    'answers as a guarded controller does, with early authentication',
    async () => {
      const app = await started();
      expect(rejectedAs(await post(app, undefined, toolCall('open')))).toEqual(noToken);
      expect(rejectedAs(await post(app, 'abc', toolCall('open')))).toEqual(invalidToken);
      expect(rejectedAs(await post(app, await token('other'), toolCall('open')))).toEqual(
        insufficientScope('notes:read'),
      );
      const reader = await token('notes:read');
      const admin = insufficientScope('notes:read notes:admin');
      expect(rejectedAs(await post(app, reader, toolCall('purge')))).toEqual(admin);
      expect(rejectedAs(await post(app, reader, { ...toolCall('purge'), id: undefined }))).toEqual(admin);
      const prompt = { jsonrpc: '2.0', id: 1, method: 'prompts/get', params: { name: 'greet' } };
      expect(rejectedAs(await post(app, reader, prompt))).toEqual(
        insufficientScope('notes:read notes:greet'),
      );
      const batch = [toolCall('open', 1), toolCall('purge', 2)];
      const oldest = { 'mcp-protocol-version': '2025-03-26' };
      expect(rejectedAs(await post(app, reader, batch, oldest))).toEqual(admin);
      expect((await post(app, reader, batch)).status).toBe(400);
      expect(ran).toEqual([]);
      expect((await post(app, reader, toolCall('open'))).status).toBe(200);
      expect((await post(app, await token('notes:read notes:admin'), toolCall('purge'))).status).toBe(200);
      expect(ran).toEqual(['open', 'purge']);
    },
  );

  verifies(
    'SCP-28',
    'authorizes bodies that come in pieces, and none that is not JSON by its type',
    async () => {
      const app = await started();
      const reader = await token('notes:read');
      const chunked = { 'transfer-encoding': 'chunked' };
      expect((await post(app, reader, toolCall('purge'), chunked)).status).toBe(403);
      for (const type of ['text/plain', 'text/plain; x=application/json', 'application/jsonx', 'text/json']) {
        const { status } = await post(app, reader, toolCall('purge'), { 'content-type': type });
        expect([type, status]).not.toEqual([type, 500]);
      }
      expect(ran).toEqual([]);
    },
  );

  verifies(
    'SCP-28',
    'answers bodies that no parser takes as the platform does, and after the token',
    async () => {
      const app = await started();
      const reader = await token('notes:read');
      const large = JSON.stringify(toolCall('open', 1, { text: 'x'.repeat(2 * 1024 * 1024) }));
      for (const [body, status] of [
        ['{"jsonrpc":', 400],
        [large, 413],
      ] as const) {
        expect(rejectedAs(await post(app, undefined, body))).toEqual(noToken);
        const { json, headers, ...answer } = await post(app, reader, body);
        expect(answer.status).toBe(status);
        expect(json).toMatchObject({ statusCode: status, message: expect.any(String) as string });
        expect(headers['www-authenticate']).toBeUndefined();
      }
      expect(ran).toEqual([]);
      expect((await post(app, reader, toolCall('open'))).status).toBe(200);
    },
  );
});

describe('the body on Express', () => {
  const started = (prepare: (app: INestApplication) => void, options = early(), more = {}) =>
    startCreated(options, {
      platform: 'express',
      controllers: [ScopedTools],
      ...more,
      prepare: async (nest) => {
        prepare(nest);
        await selfMounted({ mount: true, endpoint: 'notes' })(nest);
      },
    });
  const large = toolCall('open', 1, { text: 'x'.repeat(300_000) });

  verifies('SCP-28', 'is read within the limits of the application', async () => {
    const reader = await token('notes:read');
    const small = await started(() => undefined);
    expect((await post(small, reader, large)).status).toBe(413);
    const wide = await started((app) => {
      (app as NestExpressApplication).useBodyParser('json', { limit: '1mb' });
    });
    expect((await post(wide, reader, large)).status).toBe(200);
    expect(ran).toEqual(['open']);
  });

  verifies(['SCP-12', 'SCP-28'], 'is authorized and served as the same object', async () => {
    const seen: unknown[] = [];
    const app = await started((nest) => {
      const reviver = (_: string, value: unknown) => (value === 'alias' ? 'purge' : value);
      (nest as NestExpressApplication).useBodyParser('json', {
        reviver,
        verify: (request: unknown) => seen.push(request),
      } as object);
    });
    expect(rejectedAs(await post(app, await token('notes:read'), toolCall('alias')))).toEqual(
      insufficientScope('notes:read notes:admin'),
    );
    expect((await post(app, await token('notes:read notes:admin'), toolCall('alias'))).status).toBe(200);
    expect([ran, seen.length]).toEqual([['purge'], 2]);
  });

  it('runs no tool with scopes where there is no parser', async () => {
    const app = await started(() => undefined, early(), { factoryOptions: { bodyParser: false } });
    const reader = await token('notes:read');
    expect((await post(app, reader, toolCall('purge'))).text).not.toContain('"purge"');
    expect(ran).toEqual([]);
    expect((await post(app, reader, toolCall('open'))).status).toBe(200);
  });

  @Injectable()
  class Handlers extends McpHandlerSource {
    declarations() {
      return [{ kind: 'tool', name: 'open', requirements: ['notes:admin'] }] as const;
    }
  }

  verifies('SCP-12', 'must be read if only the declarations authorize', async () => {
    const reader = await token('notes:read');
    const parts = { controllers: [PlainTools], providers: [Handlers] };
    const parsed = await started(() => undefined, early(), parts);
    const admin = insufficientScope('notes:read notes:admin');
    expect(rejectedAs(await post(parsed, reader, toolCall('open')))).toEqual(admin);
    for (const type of ['text/plain; x=application/json', 'application/jsonx']) {
      const { status } = await post(parsed, reader, toolCall('open'), { 'content-type': type });
      expect([type, status]).toEqual([type, 415]);
    }
    for (const type of ['text/plain', 'application/octet-stream', 'x', '']) {
      for (const send of [post, modern]) {
        const { status } = await send(parsed, reader, toolCall('open'), { 'content-type': type });
        expect([type, status]).toEqual([type, expect.toBeOneOf([400, 415])]);
      }
    }
    const none = { ...parts, factoryOptions: { bodyParser: false } };
    const unparsed = await started(() => undefined, early(), none);
    expect((await post(unparsed, reader, toolCall('open'))).status).toBe(500);
    expect(ran).toEqual([]);
    expect((await post(parsed, await token('notes:read notes:admin'), toolCall('open'))).status).toBe(200);
    expect(ran).toEqual(['open']);
  });
});
