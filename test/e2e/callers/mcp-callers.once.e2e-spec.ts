import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/server';
import {
  All,
  type CallHandler,
  Controller,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  Req,
  Res,
  type Type,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { McpController, McpRawRequest, Tool } from '@rekog/mcp-nest';
import type { Observable } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  AuthContext,
  AuthInfo,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { type AppParts, PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken, invalidToken } = notesRejections('notes:read');

/** Whom each place has seen, in order. For one request at a time. */
const seen: { place: string; caller: unknown }[] = [];

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}

/** Which token a caller has come with. */
const jti = (caller: { claims?: Record<string, unknown> } | undefined): string =>
  String(caller?.claims?.['jti']);

interface Requested extends IncomingMessage {
  readonly raw?: IncomingMessage;
  readonly body?: unknown;
  readonly auth?: AuthInfo;
}

type Responded = ServerResponse & { readonly raw?: ServerResponse; hijack?(): void };

interface SessionTransport {
  handleRequest(request: IncomingMessage, response: ServerResponse, body?: unknown): Promise<void>;
}

/** An endpoint of the official SDK in a Nest controller, with sessions, as its documentation shows. */
function sdkEndpoint(
  open: (
    context: AuthContext,
    opened: (id: string, transport: SessionTransport) => void,
  ) => Promise<SessionTransport>,
): Type {
  @Controller('notes')
  @UseGuards(BearerAuthGuard)
  class SdkEndpoint {
    private readonly sessions = new Map<string, SessionTransport>();

    constructor(private readonly context: AuthContext) {}

    @All()
    async handle(
      @Req() request: Requested,
      @Res() response: Responded,
      @AuthInfo() auth: AuthInfo,
    ): Promise<void> {
      seen.push({ place: '@AuthInfo()', caller: auth }, { place: 'req.auth', caller: request.auth });
      const id = request.headers['mcp-session-id'];
      const known = typeof id === 'string' ? this.sessions.get(id) : undefined;
      const transport =
        known ??
        (await open(this.context, (newId, opened) => {
          this.sessions.set(newId, opened);
        }));
      response.hijack?.();
      await transport.handleRequest(request.raw ?? request, response.raw ?? response, request.body);
    }
  }
  return SdkEndpoint;
}

const v1 = sdkEndpoint(async (context, opened) => {
  const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => {
      opened(id, transport);
    },
  });
  const server = new McpServerV1({ name: 'notes', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Who' }, async ({ authInfo }) => {
    seen.push({ place: 'extra.authInfo', caller: authInfo }, { place: 'context', caller: context.current() });
    await delay(Math.random() * 3);
    return text(`${jti(authInfo as AuthInfo | undefined)} ${jti(context.current())}`);
  });
  // Its types are written without exactOptionalPropertyTypes.
  await server.connect(transport);
  return transport;
});

const v2 = sdkEndpoint(async (context, opened) => {
  const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => {
      opened(id, transport);
    },
  });
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Who' }, async ({ http }) => {
    const authInfo = http?.authInfo;
    seen.push(
      { place: 'ctx.http.authInfo', caller: authInfo },
      { place: 'context', caller: context.current() },
    );
    await delay(Math.random() * 3);
    return text(`${jti(authInfo as AuthInfo | undefined)} ${jti(context.current())}`);
  });
  await server.connect(transport);
  return transport;
});

@Injectable()
class RpcInterceptor implements NestInterceptor {
  constructor(private readonly context: AuthContext) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    seen.push({ place: `interceptor of ${execution.getType()}`, caller: this.context.current() });
    return next.handle();
  }
}

@Injectable()
class RpcPipe implements PipeTransform {
  constructor(private readonly context: AuthContext) {}

  transform(value: unknown): unknown {
    seen.push({ place: 'pipe', caller: this.context.current() });
    return value;
  }
}

@McpController()
class Tools {
  constructor(private readonly context: AuthContext) {}

  @Tool({ name: 'whoami', description: 'Who', parameters: z.object({}) })
  @UseInterceptors(RpcInterceptor)
  async whoami(
    @Payload(RpcPipe) _: unknown,
    @AuthInfo() auth: AuthInfo | undefined,
    @McpRawRequest() request: { auth?: AuthInfo },
  ) {
    seen.push({ place: '@AuthInfo()', caller: auth }, { place: 'req.auth', caller: request.auth });
    seen.push({ place: 'context', caller: this.context.current() });
    await delay(Math.random() * 3);
    return text(`${jti(auth)} ${jti(this.context.current())}`);
  }

  @Tool({ name: 'write', description: 'Write', parameters: z.object({}) })
  @RequireScopes('notes:write')
  async write(@AuthInfo() auth: AuthInfo | undefined) {
    await delay(Math.random() * 3);
    return text(`${jti(auth)} ${jti(this.context.current())}`);
  }
}

describe.each(PLATFORMS)('the caller of an MCP handler, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  const token = (id: string, scope = 'notes:read'): Promise<string> =>
    as.token({ aud: NOTES, scope, jti: id });

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(async () => {
    await as.close();
  });

  beforeEach(() => {
    seen.length = 0;
  });

  async function startMcp(
    controllers: Type[],
    connect?: AppParts['prepare'],
    more: Partial<McpAuthModuleOptions> = {},
  ): Promise<RunningApp> {
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    return closeAfterTest(
      await startApp({ resources, ...more }, { controllers, prepare: connect, platform }),
    );
  }

  const post = (app: RunningApp, bearer: string, body: unknown, session?: string): Promise<HttpAnswer> =>
    app.send('/notes', {
      method: 'POST',
      headers: {
        ...MCP_HEADERS,
        authorization: `Bearer ${bearer}`,
        ...(session !== undefined && { 'mcp-session-id': session }),
      },
      body,
    });

  async function openSession(app: RunningApp, bearer: string): Promise<string> {
    const { status, headers } = await post(app, bearer, INITIALIZE);
    expect(status).toBe(200);
    const session = String(headers['mcp-session-id']);
    await post(app, bearer, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
    return session;
  }

  function expectSame(...places: string[]): void {
    expect(seen.map(({ place }) => place)).toEqual(places);
    const [{ caller } = { caller: undefined }] = seen;
    expect(caller).toMatchObject({ subject: 'u1', issuer: as.issuer });
    for (const each of seen) expect(each.caller).toBe(caller);
  }

  /** Each call is answered with the token that it came with, however many run at once. */
  async function expectOwnTokens(app: RunningApp, session: string, tool = 'whoami'): Promise<void> {
    const scope = 'notes:read notes:write';
    const calls = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => ({
        id: `t${String(n)}`,
        bearer: await token(`t${String(n)}`, scope),
      })),
    );
    const answers = await Promise.all(
      calls.map(async ({ id, bearer }, n) => ({
        id,
        answer: await post(app, bearer, toolCall(tool, n), session),
      })),
    );
    const mixed = answers.filter(({ id, answer }) => !answer.text.includes(`"${id} ${id}"`));
    expect(mixed.map(({ id, answer }) => `${id}: ${answer.text}`)).toEqual([]);
  }

  const sdks: [string, Type, string][] = [
    ['SDK v1', v1, 'extra.authInfo'],
    ['SDK v2', v2, 'ctx.http.authInfo'],
  ];

  for (const [name, controller, place] of sdks) {
    verifies(['F91', 'F92', 'F89'], `is that of the request, in a session of ${name}`, async () => {
      const app = await startMcp([controller]);
      const session = await openSession(app, await token('first'));
      for (const id of ['first', 'second']) {
        seen.length = 0;
        const answer = await post(app, await token(id), toolCall('whoami'), session);
        expect(answer.text).toContain(`"${id} ${id}"`);
        expectSame('@AuthInfo()', 'req.auth', place, 'context');
      }
      const expired = await as.token({ aud: NOTES, scope: 'notes:read', exp: 1 });
      expect((await post(app, expired, toolCall('whoami'), session)).status).toBe(401);
      await expectOwnTokens(app, session);
    });
  }

  verifies('TOK-10', 'needs a token in every request of a session', async () => {
    const endpoint = mcpEndpoint({ statefulMode: true });
    const places: [Type[], AppParts['prepare']?][] = [
      [[v1]],
      [[v2]],
      [[endpoint.controller, Tools], endpoint.connect],
    ];
    for (const [controllers, connect] of places) {
      const app = await startMcp(controllers, connect);
      const good = await token('first');
      const session = await openSession(app, good);
      const before = seen.length;
      const headers = { ...MCP_HEADERS, 'mcp-session-id': session };
      const requests = [
        { method: 'POST', body: toolCall('whoami') },
        { method: 'POST', body: { jsonrpc: '2.0', id: 1, method: 'tools/list' } },
        { method: 'POST', body: { jsonrpc: '2.0', id: 1, method: 'ping' } },
        { method: 'POST', body: { jsonrpc: '2.0', method: 'notifications/initialized' } },
        { method: 'POST', body: INITIALIZE },
        { method: 'GET' },
        { method: 'DELETE' },
      ];
      for (const request of requests) {
        expect(rejectedAs(await app.send('/notes', { ...request, headers }))).toEqual(noToken);
        const bad = { ...headers, authorization: `Bearer ${await token('second')}x` };
        expect(rejectedAs(await app.send('/notes', { ...request, headers: bad }))).toEqual(invalidToken);
      }
      expect(seen.length).toBe(before);
      expect((await post(app, good, toolCall('whoami'), session)).text).toContain('first first');
    }
  });

  verifies(['F91', 'F89'], 'is the same object everywhere in a tool of @rekog/mcp-nest', async () => {
    const endpoint = mcpEndpoint();
    const app = await startMcp([endpoint.controller, Tools], endpoint.connect);
    const answer = await post(app, await token('one'), toolCall('whoami'));
    expect(answer.text).toContain('one one');
    expectSame('interceptor of rpc', 'pipe', '@AuthInfo()', 'req.auth', 'context');
  });

  verifies(
    ['F92', 'SES-07', 'H26'],
    'is that of the request, in a session of @rekog/mcp-nest whose requests run at the same time',
    async () => {
      const endpoint = mcpEndpoint({ statefulMode: true });
      const app = await startMcp([endpoint.controller, Tools], endpoint.connect);
      const session = await openSession(app, await token('first'));
      expect((await post(app, await token('second'), toolCall('whoami'), session)).text).toContain(
        'second second',
      );
      await expectOwnTokens(app, session);
      await expectOwnTokens(app, session, 'write');
    },
  );

  verifies(
    ['F92', 'H26'],
    'is not that of another request that the transport serves in the same tick',
    async () => {
      const both = { waiting: 0, letGo: (): void => undefined };
      const together = new Promise<void>((resolve) => (both.letGo = resolve));
      // As a verifier does that waits for one answer on behalf of many.
      const verifier = async (given: string) => {
        if (given !== 'first' && (both.waiting += 1) === 2) both.letGo();
        if (given !== 'first') await together;
        return { iss: as.issuer, aud: NOTES, sub: 'u1', jti: given, scope: 'notes:read notes:write' };
      };
      const endpoint = mcpEndpoint({ statefulMode: true });
      const app = await startMcp([endpoint.controller, Tools], endpoint.connect, { verifier });
      const session = await openSession(app, 'first');
      const answers = await Promise.all(
        ['one', 'other'].map((bearer, n) => post(app, bearer, toolCall(n ? 'write' : 'whoami', n), session)),
      );
      expect(answers[0]?.text).toContain('"one one"');
      expect(answers[1]?.text).toContain('"other other"');
    },
  );
});
