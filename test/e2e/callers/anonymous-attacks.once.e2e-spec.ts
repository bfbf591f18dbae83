import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  type NestInterceptor,
  Post,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  AllowAnonymous,
  BearerAuthGuard,
  LIFECYCLE_METHODS,
  type McpAuthModuleOptions,
  ProtectedResource,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { type AppParts, PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken } = notesRejections('notes:read');

const parameters = z.object({});
const ran: string[] = [];

const says = (text: string) => {
  ran.push(text);
  return { content: [{ type: 'text' as const, text }] };
};

@McpController()
class OpenTools {
  @Tool({ name: 'list', description: 'List', parameters })
  @AllowAnonymous()
  list() {
    return says('list');
  }

  @Tool({ name: 'plain', description: 'Without decorators', parameters })
  plain() {
    return says('plain');
  }

  @Tool({ name: 'write', description: 'Write', parameters })
  @RequireScopes('notes:write')
  write() {
    return says('write');
  }
}

const message = (method: string, params?: object): object => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  ...(params && { params }),
});

/** Lets a message run what another message is wrapped in, after the guard has checked the outer one. */
@Injectable()
class Unwrap implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const request = context.switchToHttp().getRequest<{ body?: { params?: { wrapped?: object } } }>();
    if (request.body?.params?.wrapped) request.body = request.body.params.wrapped;
    return next.handle();
  }
}

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.length = 0;
});

const options = (): McpAuthModuleOptions => ({
  resources: {
    resource: NOTES,
    authorizationServers: [as.issuer],
    requiredScopes: ['notes:read'],
    anonymousMethods: LIFECYCLE_METHODS,
  },
});

describe.each(PLATFORMS)(
  'a caller without a token at a resource with anonymousMethods, on %s',
  (platform) => {
    const start = async (
      parts: AppParts,
      prepare: AppParts['prepare'],
      given = options(),
    ): Promise<RunningApp> => closeAfterTest(await startApp(given, { ...parts, prepare, platform }));

    const post = (
      app: RunningApp,
      body: unknown,
      headers: Record<string, string> = {},
    ): Promise<HttpAnswer> =>
      app.send('/notes', { method: 'POST', body, headers: { ...MCP_HEADERS, ...headers } });

    verifies('CLI-26', 'runs no protected tool by a body that changes after the guard', async () => {
      const { controller, connect } = mcpEndpoint({}, UseInterceptors(Unwrap));
      const app = await start({ controllers: [controller, OpenTools] }, connect);
      for (const name of ['plain', 'write']) {
        const answer = await post(app, message('ping', { wrapped: toolCall(name) }));
        expect([name, answer.text.includes('caller'), ran]).toEqual([name, true, []]);
      }
      expect((await post(app, message('ping', { wrapped: toolCall('list') }))).text).toContain('list');
    });

    verifies('CLI-26', 'reaches no other route by a path that the application rewrites', async () => {
      @Controller('v2/notes')
      @UseGuards(BearerAuthGuard)
      class RestController {
        @Post()
        create(): string {
          ran.push('create');
          return 'created';
        }
      }
      const { controller, connect } = mcpEndpoint();
      const app = await start({ controllers: [controller, OpenTools, RestController] }, async (nest) => {
        rewriteOn(nest, platform);
        await connect(nest);
      });
      expect((await post(app, message('ping'))).status).toBe(200);
      expect(rejectedAs(await post(app, message('ping'), { 'x-version': '2' }))).toEqual(noToken);
      expect(ran).toEqual([]);
    });

    verifies(
      'CLI-27',
      'answers the server in a session that was opened without a token, and only there',
      async () => {
        const { controller, connect } = mcpEndpoint({ statefulMode: true });
        const app = await start({ controllers: [controller, OpenTools] }, connect);
        const id = (await post(app, INITIALIZE)).headers['mcp-session-id'] as string;
        const pong = { jsonrpc: '2.0', id: 5, result: {} };
        expect((await post(app, pong, { 'mcp-session-id': id })).status).toBe(202);
        expect(
          (await post(app, { ...pong, result: undefined, error: {} }, { 'mcp-session-id': id })).status,
        ).toBeLessThan(500);
        expect(rejectedAs(await post(app, pong))).toEqual(noToken);
        expect(rejectedAs(await post(app, pong, { 'mcp-session-id': `${id}0` }))).toEqual(noToken);
        const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
        expect((await post(app, cancelled, { 'mcp-session-id': id })).status).toBe(202);
      },
    );

    verifies('CLI-27', 'opens a GET in its session only for a stream', async () => {
      const { controller, connect } = mcpEndpoint({ statefulMode: true });
      const app = await start({ controllers: [controller, OpenTools] }, connect);
      const id = (await post(app, INITIALIZE)).headers['mcp-session-id'] as string;
      const get = (accept: string, session = id): Promise<HttpAnswer> =>
        app.send('/notes', { headers: { 'mcp-session-id': session, accept } });
      expect(rejectedAs(await get('text/html'))).toEqual(noToken);
      expect(rejectedAs(await get('application/json'))).toEqual(noToken);
      expect(rejectedAs(await get('text/event-stream', `${id}0`))).toEqual(noToken);
    });

    verifies('CLI-22', 'runs open tools of its resource, whatever resource is the first', async () => {
      @McpController()
      @ProtectedResource('notes')
      @UseGuards(BearerAuthGuard)
      class Guarded {
        @Tool({ name: 'list', description: 'List', parameters })
        @AllowAnonymous()
        list() {
          return says('list');
        }

        @Tool({ name: 'mine', description: 'Mine', parameters })
        @AllowAnonymous()
        mine() {
          return says('mine');
        }

        @Tool({ name: 'closed', description: 'Closed', parameters })
        closed() {
          return says('closed');
        }
      }
      const { controller, connect } = mcpEndpoint();
      ProtectedResource('notes')(controller);
      const authorizationServers = [as.issuer];
      const resources = [
        { resource: ADMIN, name: 'admin', authorizationServers, allowAnonymous: true },
        { resource: NOTES, name: 'notes', authorizationServers, anonymousMethods: LIFECYCLE_METHODS },
      ];
      const app = await start({ controllers: [controller, Guarded] }, connect, { resources });
      const batch = [toolCall('list', 1), toolCall('mine', 2)];
      const answer = await post(app, batch, { 'mcp-protocol-version': '2025-03-26' });
      expect([answer.status, [...ran].sort()]).toEqual([200, ['list', 'mine']]);
      expect((await post(app, toolCall('closed'))).status).toBe(401);
      expect(ran).not.toContain('closed');
    });

    describe.each(['its own', 'the first'] as const)(
      'a guard on a tool, if %s resource allows anonymous callers',
      (which) => {
        verifies('RTR-06', 'decides by the resource of the request', async () => {
          @McpController()
          @UseGuards(BearerAuthGuard)
          class Guarded {
            @Tool({ name: 'free', description: 'Free', parameters })
            free() {
              return says('free');
            }
          }
          const { controller, connect } = mcpEndpoint();
          ProtectedResource('notes')(controller);
          // So that the request reaches the guard on the tool.
          AllowAnonymous()(controller);
          const authorizationServers = [as.issuer];
          const resources = [
            { resource: ADMIN, name: 'admin', authorizationServers, allowAnonymous: which === 'the first' },
            { resource: NOTES, name: 'notes', authorizationServers, allowAnonymous: which === 'its own' },
          ];
          const app = await start({ controllers: [controller, Guarded] }, connect, { resources });
          const { status } = await post(app, toolCall('free'));
          expect([status, ran]).toEqual(which === 'its own' ? [200, ['free']] : [401, []]);
        });
      },
    );
  },
);

/** Routes requests with a header to another path, after the path that was received. */
function rewriteOn(nest: INestApplication, platform: string): void {
  if (platform === 'express') {
    nest.use((request: { url: string; headers: object }, _: unknown, next: () => void) => {
      if ('x-version' in request.headers) request.url = `/v2${request.url}`;
      next();
    });
    return;
  }
  const raw = nest.getHttpServer() as {
    prependListener(name: 'request', on: (request: Received) => void): void;
  };
  raw.prependListener('request', (request) => {
    if (!('x-version' in request.headers)) return;
    request.originalUrl = request.url;
    request.url = `/v2${request.url}`;
  });
}

interface Received {
  url: string;
  originalUrl?: string;
  readonly headers: object;
}
