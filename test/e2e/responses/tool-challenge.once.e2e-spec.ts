import { All, Controller, type MiddlewareConsumer, Module, UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AuthContext,
  BearerAuthGuard,
  BearerAuthMiddleware,
  type McpAuthEvent,
  McpAuthEvents,
  type McpAuthModuleOptions,
  type ProtectedResourceOptions,
  RequireScopes,
  toolChallengeForOpenAi,
  type ToolChallengeRequest,
  type UnauthorizedRequest,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import {
  type AppParts,
  PLATFORMS,
  RecordingLogger,
  type RunningApp,
  startApp,
  startFailure,
} from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { LATE_ENDPOINTS } from '../../fixtures/step-up-endpoints.js';
import { challenged, challengedAs, moreScopes, signIn } from '../../fixtures/tool-challenges.js';
import { verifies } from '../../verifies.js';

const { noToken, noTokenFor, invalidToken, severalCredentials, insufficientScope } =
  notesRejections('notes:read');

const parameters = z.object({});

let ran = 0;

@McpController()
class Tools {
  constructor(private readonly context: AuthContext) {}

  @Tool({ name: 'open', description: 'Open', parameters })
  open() {
    ran += 1;
    return { content: [{ type: 'text' as const, text: 'open' }] };
  }

  @Tool({ name: 'write', description: 'Write', parameters })
  @RequireScopes('notes:write')
  write() {
    ran += 1;
    return { content: [{ type: 'text' as const, text: 'written' }] };
  }

  @Tool({ name: 'late', description: 'Learns late what it needs', parameters })
  late() {
    this.context.requireScopes('notes:late');
    ran += 1;
    return { content: [{ type: 'text' as const, text: 'late' }] };
  }
}

const MODERN_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

function withTools(): AppParts {
  const { controller, connect } = mcpEndpoint();
  return { controllers: [controller, Tools], prepare: connect };
}

describe.each(PLATFORMS)('the option toolChallenge, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  let log: RecordingLogger;
  let events: McpAuthEvent[];

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  beforeEach(() => {
    ran = 0;
    events = [];
    log = new RecordingLogger();
  });

  async function started(
    resource: Partial<ProtectedResourceOptions> = {},
    more: Partial<McpAuthModuleOptions> = {},
    parts = withTools(),
  ): Promise<RunningApp> {
    const resources = {
      resource: NOTES,
      authorizationServers: [as.issuer],
      requiredScopes: ['notes:read'],
      ...resource,
    };
    const app = await startApp(
      { resources, toolChallenge: 'result', ...more },
      {
        ...parts,
        log,
        prepare: async (nest) => {
          nest.get(McpAuthEvents).on('access_denied', (event) => events.push(event));
          await parts.prepare?.(nest);
        },
        platform,
      },
    );
    return closeAfterTest(app);
  }

  const bearer = async (scope = 'notes:read', more: object = {}) => ({
    authorization: `Bearer ${await as.token({ aud: NOTES, scope, ...more })}`,
  });

  const post = (app: RunningApp, body: unknown, headers: Record<string, string> = {}) =>
    app.send('/notes', { method: 'POST', headers: { ...MCP_HEADERS, ...headers }, body });

  const expectRuns = (answer: HttpAnswer): void => {
    expect([answer.status, answer.text.includes('"isError":true')]).toEqual([200, false]);
  };

  describe.each([
    ['at a resource that needs a token', {}, {}],
    ['at an open resource', { allowAnonymous: true }, {}],
    ['at an open resource, early', { allowAnonymous: true }, { earlyAuthentication: true }],
    ['with bodies by JSON-RPC', { allowAnonymous: true }, { errorBody: 'json-rpc' }],
  ] as const)('%s', (_, resource, options) => {
    verifies('CLI-07', 'answers a tool call without a token, or without scopes, by a result', async () => {
      const app = await started(resource, options);
      const anonymous = signIn('notes:read notes:write');
      for (const id of [1, 'é7', 0, ''])
        expect(challengedAs(await post(app, toolCall('write', id as number)))).toEqual(
          challenged(anonymous, id),
        );
      const lacking = moreScopes('notes:read notes:write');
      expect(challengedAs(await post(app, toolCall('write', 2), await bearer()))).toEqual(
        challenged(lacking, 2),
      );
      expect(ran).toBe(0);
      expectRuns(await post(app, toolCall('write'), await bearer('notes:read notes:write')));
      expect(ran).toBe(1);
    });

    verifies('CLI-09', 'does so for what a handler finds missing', async () => {
      const app = await started(resource, options);
      if ('allowAnonymous' in resource)
        expect(challengedAs(await post(app, toolCall('late')))).toEqual(
          challenged(signIn('notes:read notes:late')),
        );
      expect(challengedAs(await post(app, toolCall('late', 3), await bearer()))).toEqual(
        challenged(moreScopes('notes:read notes:late'), 3),
      );
      expect(ran).toBe(0);
      expectRuns(await post(app, toolCall('late'), await bearer('notes:read notes:late')));
      expect(ran).toBe(1);
    });
  });

  verifies('CLI-07', 'names the page of errorUri, and the scopes of challengeScopes', async () => {
    const errorUri = 'https://docs.example/e';
    const app = await started({ challengeScopes: 'all' }, { errorUri });
    const { result } = (await post(app, toolCall('open'))).json as {
      result: { _meta: Record<string, [string]> };
    };
    const { _meta: expected } = signIn('notes:read notes:write') as typeof result;
    expect(result._meta).toEqual({
      'mcp/www_authenticate': [`${expected['mcp/www_authenticate']![0]}, error_uri="${errorUri}"`],
    });
    const none = await started({ requiredScopes: [] });
    expect(challengedAs(await post(none, toolCall('open')))).toEqual(challenged(signIn('')));
  });

  verifies('CLI-08', 'answers everything else as ever', async () => {
    const app = await started();
    const call = toolCall('write');
    const older = { 'mcp-protocol-version': '2025-03-26' };
    // Other requests, and calls that no result can answer.
    const without: [unknown, object, Record<string, string>?][] = [
      [INITIALIZE, noToken],
      [{ ...call, method: 'tools/list' }, noToken],
      [{ ...call, method: 'Tools/call' }, noToken],
      [{ ...call, id: undefined }, noTokenFor('notes:read notes:write')],
      [{ ...call, id: null }, noTokenFor('notes:read notes:write')],
      [{ ...call, jsonrpc: '1.0' }, noTokenFor('notes:read notes:write')],
      [{ ...call, params: {} }, noToken],
      [{ ...call, params: null }, noToken],
      [{ ...call, params: { name: 7 } }, noToken],
      [[call], noTokenFor('notes:read notes:write'), older],
      [[call, { ...call, id: 2 }], noToken, older],
    ];
    for (const [body, rejection, headers] of without)
      expect([body, rejectedAs(await post(app, body, headers))]).toEqual([body, rejection]);
    expect(rejectedAs(await app.send('/notes', { headers: MCP_HEADERS }))).toEqual(noToken);
    // Bad credentials.
    const expired = await bearer('notes:write', { exp: 1 });
    const foreign = await bearer('notes:write', { aud: `${NOTES}2` });
    for (const headers of [expired, foreign, { authorization: 'Bearer x' }])
      expect(rejectedAs(await post(app, call, headers))).toEqual(invalidToken);
    const several = { authorization: 'Bearer x, Bearer y' };
    expect(rejectedAs(await post(app, call, several))).toEqual(severalCredentials);
    expect(rejectedAs(await post(app, call, { authorization: 'Basic eDp5' }))).toEqual(
      noTokenFor('notes:read notes:write'),
    );
    // A batch and a notification with a token that lacks scopes.
    const lacking = insufficientScope('notes:read notes:write');
    const reader = await bearer();
    expect(rejectedAs(await post(app, [call], { ...older, ...reader }))).toEqual(lacking);
    expect(rejectedAs(await post(app, { ...call, id: undefined }, reader))).toEqual(lacking);
    expect(ran).toBe(0);
  });

  verifies('CLI-08', 'answers by HTTP if the client does not accept JSON', async () => {
    const app = await started();
    const accepting = (accept: string) => post(app, toolCall('write'), { accept });
    for (const accept of ['*/*', 'text/event-stream', 'application/jsonp', 'x-application/json', ''])
      expect([accept, (await accepting(accept)).status]).toEqual([accept, 401]);
    for (const accept of [
      'application/json',
      'text/event-stream , Application/JSON;q=0.9',
      'a/b,application/json,*/*',
    ])
      expect([accept, (await accepting(accept)).status]).toEqual([accept, 200]);
  });

  describe.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])('%s at another route', (method) => {
    verifies('CLI-08', 'is answered by HTTP, even if its body is a tool call', async () => {
      @Controller('notes/verify')
      @UseGuards(BearerAuthGuard)
      class VerifyController {
        @All()
        verify(): string {
          ran += 1;
          return 'allowed';
        }
      }
      const app = await started({}, {}, { controllers: [VerifyController] });
      const body = JSON.stringify(toolCall('write'));
      const headers = {
        accept: 'application/json',
        'content-type': 'application/json',
        'content-length': String(body.length),
        'if-none-match': '*',
        connection: 'close',
      };
      const answer = await app.send('/notes/verify', { method, body, headers });
      expect([answer.status, answer.headers['www-authenticate'], ran]).toEqual([401, noToken.challenge, 0]);
    });
  });

  verifies('CLI-08', 'answers by a result only to POST at the path of the resource', async () => {
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class AnyMethodController {
      @All()
      serve(): string {
        ran += 1;
        return 'served';
      }
    }
    const app = await started({}, {}, { controllers: [AnyMethodController] });
    const body = toolCall('write');
    expect((await post(app, body)).status).toBe(200);
    for (const method of ['PUT', 'PATCH'])
      expect(rejectedAs(await app.send('/notes', { method, headers: MCP_HEADERS, body }))).toEqual(noToken);
    expect(ran).toBe(0);
  });

  verifies('CLI-08', 'answers by HTTP before the body is read', async () => {
    const app = await started({}, { earlyAuthentication: true });
    expect(rejectedAs(await post(app, toolCall('write')))).toEqual(noToken);
    expect(challengedAs(await post(app, toolCall('write'), await bearer()))).toEqual(
      challenged(moreScopes('notes:read notes:write')),
    );
  });

  verifies('CLI-08', 'is HTTP by default', async () => {
    const app = await started({}, { toolChallenge: undefined } as object);
    expect(rejectedAs(await post(app, toolCall('write')))).toEqual(noTokenFor('notes:read notes:write'));
    expect(rejectedAs(await post(app, toolCall('write'), await bearer()))).toEqual(
      insufficientScope('notes:read notes:write'),
    );
  });

  verifies('CLI-07', 'holds for the middleware too', async () => {
    @Module({})
    class Covered {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(BearerAuthMiddleware).forRoutes('notes');
      }
    }
    const app = await started({ allowAnonymous: true }, {}, { imports: [Covered], ...withTools() });
    expect(challengedAs(await post(app, toolCall('write')))).toEqual(
      challenged(signIn('notes:read notes:write')),
    );
    expect(challengedAs(await post(app, toolCall('write'), await bearer()))).toEqual(
      challenged(moreScopes('notes:read notes:write')),
    );
    expect(rejectedAs(await post(app, toolCall('write'), { authorization: 'Bearer x' }))).toEqual(
      invalidToken,
    );
    expect(ran).toBe(0);
  });

  verifies('CLI-10', 'asks a function, which is told of the call and never of its token', async () => {
    const told: ToolChallengeRequest[] = [];
    const toolChallenge = (request: ToolChallengeRequest) => {
      told.push(request);
      return request.tool === 'write' ? ('result' as const) : ('http' as const);
    };
    const app = await started({}, { toolChallenge });
    const agent = { 'user-agent': 'a/1' };
    expect((await post(app, toolCall('write'), agent)).status).toBe(200);
    expect((await post(app, toolCall('open'), agent)).status).toBe(401);
    expect((await post(app, toolCall('write'), await bearer('notes:read', { client_id: 'c7' }))).status).toBe(
      200,
    );
    expect((await post(app, toolCall('write'), { authorization: 'Bearer x' })).status).toBe(401);
    expect((await post(app, INITIALIZE)).status).toBe(401);
    expect(told).toEqual([
      { resource: NOTES, tool: 'write', clientId: undefined, userAgent: 'a/1' },
      { resource: NOTES, tool: 'open', clientId: undefined, userAgent: 'a/1' },
      { resource: NOTES, tool: 'write', clientId: 'c7', userAgent: undefined },
    ]);
  });

  verifies('CLI-10', 'answers by HTTP, and says so in the log, if the function fails', async () => {
    const failing: (() => unknown)[] = [
      () => {
        throw new Error('mine');
      },
      () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a function may do
        throw 'text';
      },
      () => 'Result',
      () => Promise.resolve('result'),
      () => Promise.reject(new Error('mine')),
      () => undefined,
    ];
    for (const toolChallenge of failing) {
      const app = await started({}, { toolChallenge } as Partial<McpAuthModuleOptions>);
      log.errors.length = 0;
      expect(rejectedAs(await post(app, toolCall('open')))).toEqual(noToken);
      expect(log.errors[0]).toBe('the option "toolChallenge" chose no form, so the answer is HTTP');
    }
  });

  verifies('CLI-10', 'has a preset that knows ChatGPT and Codex by client id and user agent', async () => {
    const app = await started({}, { toolChallenge: toolChallengeForOpenAi });
    const status = async (userAgent: string | undefined, clientId?: string) => {
      const token = clientId === undefined ? {} : await bearer('notes:read', { client_id: clientId });
      const agent = userAgent === undefined ? {} : { 'user-agent': userAgent };
      return (await post(app, toolCall('write'), { ...agent, ...token })).status;
    };
    for (const agent of ['openai-mcp/1.0.0', 'openai-mcp/1.0.0 (Responses API)', 'codex-mcp-client/0.157.0'])
      expect([agent, await status(agent)]).toEqual([agent, 200]);
    for (const agent of [
      undefined,
      'openai-mcp',
      'OpenAI-MCP/1',
      'x openai-mcp/1.0.0',
      'claude-code/2',
      'node',
    ])
      expect([agent, await status(agent)]).toEqual([agent, 401]);
    for (const id of ['client.json', 'abc/client.json', 'codex/client.json'])
      expect([id, await status('node', `https://chatgpt.com/oauth/${id}`)]).toEqual([id, 200]);
    for (const id of [
      'c1',
      'https://chatgpt.com.evil.example/oauth/client.json',
      'http://chatgpt.com/oauth/client.json',
      'https://chatgpt.com/oauth',
    ])
      expect([id, await status('node', id)]).toEqual([id, 403]);
    expect(await status('openai-mcp/1.0.0', 'c1')).toBe(200);
  });

  verifies('CLI-11', 'is reported as the rejection that it stands for', async () => {
    const unauthorized: UnauthorizedRequest[] = [];
    const onUnauthorized = (request: UnauthorizedRequest) => unauthorized.push(request);
    const app = await started({ allowAnonymous: true }, { onUnauthorized });
    expect((await post(app, toolCall('write'))).status).toBe(200);
    expect(events).toMatchObject([
      { type: 'access_denied', reason: 'missing_token', status: 401, resource: NOTES },
    ]);
    expect(unauthorized).toMatchObject([{ reason: 'missing_token', resource: NOTES }]);
    events.length = 0;
    for (const tool of ['write', 'late']) {
      expect((await post(app, toolCall(tool), await bearer())).status).toBe(200);
      const denied = events.filter(({ type }) => type === 'access_denied');
      expect(denied).toMatchObject([
        {
          required: ['notes:read', tool === 'write' ? 'notes:write' : 'notes:late'],
          granted: ['notes:read'],
        },
      ]);
      events.length = 0;
    }
    expect(unauthorized).toHaveLength(1);
  });

  describe.each(LATE_ENDPOINTS)('in an answer of %s', (name, legacyAnswers, make) => {
    const versions = name.startsWith('SDK v1') ? ['2025-11-25'] : ['2025-11-25', '2026-07-28'];

    verifies('CLI-09', 'is the result of the call, whether its stream has begun or not', async () => {
      const app = await started({ allowAnonymous: true }, {}, make());
      const call = async (version: string, tool: string, headers: Record<string, string>) => {
        const isModern = version === '2026-07-28';
        const _meta = { progressToken: 1, ...(isModern && MODERN_META) };
        return post(
          app,
          { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: tool, arguments: {}, _meta } },
          {
            'mcp-protocol-version': version,
            ...(isModern && { 'mcp-method': 'tools/call', 'mcp-name': tool }),
            ...headers,
          },
        );
      };
      for (const version of versions) {
        const asked = version === '2026-07-28' ? 'notes:write' : 'notes:read notes:write';
        for (const [headers, result] of [
          [{}, signIn('notes:read notes:write')],
          [await bearer(), moreScopes(asked)],
        ] as const) {
          expect(challengedAs(await call(version, 'decides', headers))).toEqual(challenged(result, 7));
          const { text, status } = await call(version, 'reports', headers);
          expect(status).toBe(200);
          const last = text
            .split('\n')
            .filter((line) => line.startsWith('data: {'))
            .at(-1);
          // With JSON, progress is not sent, so that nothing has begun.
          const isJson = legacyAnswers === 'json' && version !== '2026-07-28';
          expect(JSON.parse(isJson ? text : (last?.slice(6) ?? 'null'))).toEqual({
            jsonrpc: '2.0',
            id: 7,
            result,
          });
        }
        // A handler that answers otherwise, and a caller who may.
        const caught = await call(version, 'catches', await bearer());
        expect(caught.text).toContain('what may be read');
        const good = await call(version, 'decides', await bearer('notes:read notes:write'));
        expect(good.text).toContain('written');
      }
    });
  });
});

describe('the option toolChallenge at bootstrap', () => {
  it.each(['both', true, null])('rejects %j', async (toolChallenge) => {
    const resources = { resource: NOTES, authorizationServers: ['https://as.example'] };
    const failure = await startFailure({ resources, toolChallenge } as unknown as McpAuthModuleOptions);
    expect(failure.message).toContain('toolChallenge: must be http, result or a function; got');
  });
});
