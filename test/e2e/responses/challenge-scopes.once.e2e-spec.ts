import { Controller, Get, type MiddlewareConsumer, Module, Post, UseGuards } from '@nestjs/common';
import { McpController, ResourceTemplate, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  BearerAuthGuard,
  BearerAuthMiddleware,
  type McpAuthModuleOptions,
  type ProtectedResourceOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { PLATFORMS, type RunningApp, startApp, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { INITIALIZE, MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken, noTokenFor, invalidToken, severalCredentials, insufficientScope } =
  notesRejections('notes:read');

const parameters = z.object({});

let ran = 0;

const run = (): string => {
  ran += 1;
  return 'ran';
};

@McpController()
class Tools {
  @Tool({ name: 'open', description: 'Open', parameters })
  open(): string {
    return run();
  }

  @Tool({ name: 'purge', description: 'Purge', parameters })
  @RequireScopes('notes:admin', 'offline_access', { anyOf: ['notes:a', 'notes:b'] }, () => ['notes:function'])
  purge(): string {
    return run();
  }

  @ResourceTemplate({ name: 'note', description: 'Note', mimeType: 'text/plain', uriTemplate: 'note://{id}' })
  @RequireScopes('notes:one')
  note(): string {
    return run();
  }
}

@Controller('notes/route')
@UseGuards(BearerAuthGuard)
class RouteController {
  @Get()
  @RequireScopes('notes:route')
  get(): string {
    return run();
  }
}

/** All scopes that the handlers name, after those of the resource. */
const ALL = 'notes:read notes:admin notes:a notes:b notes:one notes:route';

describe.each(PLATFORMS)('the scopes of a 401, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  beforeEach(() => {
    ran = 0;
  });

  async function started(
    resource: Partial<ProtectedResourceOptions>,
    more: Partial<McpAuthModuleOptions> = {},
  ): Promise<RunningApp> {
    const { controller, connect } = mcpEndpoint();
    const resources = {
      resource: NOTES,
      authorizationServers: [as.issuer],
      requiredScopes: ['notes:read'],
      ...resource,
    };
    const parts = { controllers: [controller, Tools, RouteController] };
    return closeAfterTest(await startApp({ resources, ...more }, { ...parts, prepare: connect, platform }));
  }

  const bearer = async (scope: string, more: object = {}) => ({
    authorization: `Bearer ${await as.token({ aud: NOTES, scope, ...more })}`,
  });

  const post = (app: RunningApp, body: unknown, headers: Record<string, string> = {}) =>
    app.send('/notes', { method: 'POST', headers: { ...MCP_HEADERS, ...headers }, body });

  const read = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'note://1' } };

  verifies(['CLI-01', 'CLI-02'], 'are all that the called operation needs, by default', async () => {
    const app = await started({});
    const toPurge = noTokenFor('notes:read notes:admin notes:a');
    expect(rejectedAs(await post(app, INITIALIZE))).toEqual(noToken);
    expect(rejectedAs(await post(app, toolCall('open')))).toEqual(noToken);
    expect(rejectedAs(await post(app, toolCall('Purge')))).toEqual(noToken);
    expect(rejectedAs(await post(app, toolCall('purge')))).toEqual(toPurge);
    expect(rejectedAs(await post(app, read))).toEqual(noTokenFor('notes:read notes:one'));
    expect(rejectedAs(await app.send('/notes/route'))).toEqual(noTokenFor('notes:read notes:route'));
    // Another scheme is no token either; two credentials, and a token that is bad, have answers of their own.
    expect(rejectedAs(await post(app, toolCall('purge'), { authorization: 'Basic eDp5' }))).toEqual(toPurge);
    expect(rejectedAs(await post(app, toolCall('purge'), { authorization: 'Bearer x, Bearer y' }))).toEqual(
      severalCredentials,
    );
    expect(rejectedAs(await post(app, toolCall('purge'), { authorization: 'Bearer x' }))).toEqual(
      invalidToken,
    );
    expect(ran).toBe(0);
    const needed = 'notes:read notes:admin offline_access notes:a notes:function';
    expect((await post(app, toolCall('purge'), await bearer(needed))).status).toBe(200);
    expect(ran).toBe(1);
  });

  verifies('CLI-02', 'are those of the resource for several operations at once', async () => {
    const app = await started({});
    const older = { 'mcp-protocol-version': '2025-03-26' };
    expect(rejectedAs(await post(app, [read, toolCall('purge', 2)], older))).toEqual(noToken);
    expect(rejectedAs(await post(app, [toolCall('purge')], older))).toEqual(
      noTokenFor('notes:read notes:admin notes:a'),
    );
    const many = { ...read, params: { uri: `note://${'x'.repeat(66_000)}` } };
    expect(rejectedAs(await post(app, many))).toEqual(noToken);
    expect(ran).toBe(0);
  });

  verifies('CLI-01', 'are those of the resource before the body is read', async () => {
    const app = await started({}, { earlyAuthentication: true });
    expect(rejectedAs(await post(app, toolCall('purge')))).toEqual(noToken);
    const all = await started({ challengeScopes: 'all' }, { earlyAuthentication: true });
    expect(rejectedAs(await post(all, toolCall('purge')))).toEqual(noTokenFor(ALL));
    expect(ran).toBe(0);
  });

  verifies('CLI-01', 'are all that handlers name, with "all", for every 401 and for no 403', async () => {
    const app = await started({ challengeScopes: 'all', scopesSupported: ['notes:shown'] });
    const expected = noTokenFor(ALL);
    for (const body of [INITIALIZE, toolCall('open'), toolCall('purge'), read])
      expect(rejectedAs(await post(app, body))).toEqual(expected);
    expect(rejectedAs(await app.send('/notes/route'))).toEqual(expected);
    const bad = { ...invalidToken, challenge: invalidToken.challenge?.replace('notes:read', ALL) };
    expect(rejectedAs(await post(app, INITIALIZE, await bearer('notes:read', { exp: 1 })))).toEqual(bad);
    expect(rejectedAs(await post(app, read, await bearer('notes:read')))).toEqual(
      insufficientScope('notes:read notes:one'),
    );
    expect((await app.send(`${PRM}/notes`)).json).toMatchObject({ scopes_supported: ['notes:shown'] });
    expect(ran).toBe(0);
  });

  verifies('CLI-01', 'are exactly those of a list', async () => {
    const listed = await started({ challengeScopes: ['api://x/.default', 'offline_access', 'b', 'b'] });
    for (const body of [INITIALIZE, toolCall('purge')])
      expect(rejectedAs(await post(listed, body))).toEqual(noTokenFor('api://x/.default b'));
    const none = await started({ challengeScopes: [], allowAnonymous: true });
    const { challenge } = notesRejections('').noToken;
    expect(rejectedAs(await post(none, toolCall('purge')))).toEqual({ ...noToken, challenge });
    expect((await post(none, toolCall('open'))).status).toBe(200);
    expect(ran).toBe(1);
  });

  verifies(
    'CLI-01',
    'are chosen for an anonymous caller too, before the body is read and after',
    async () => {
      for (const earlyAuthentication of [false, true]) {
        const anonymous = { allowAnonymous: true };
        const app = await started({ ...anonymous, challengeScopes: 'all' }, { earlyAuthentication });
        expect(rejectedAs(await post(app, read))).toEqual(noTokenFor(ALL));
        const required = await started(anonymous, { earlyAuthentication });
        expect(rejectedAs(await post(required, read))).toEqual(noTokenFor('notes:read notes:one'));
      }
      expect(ran).toBe(0);
    },
  );

  verifies('CLI-01', 'are those of the resource that is asked', async () => {
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class Own {
      @Post()
      @RequireScopes('notes:own')
      post(): string {
        return run();
      }
    }
    const app = await started({ challengeScopes: 'all' });
    expect(rejectedAs(await post(app, {}))).toEqual(noTokenFor(ALL));
    const resources = { resource: NOTES, authorizationServers: [as.issuer], challengeScopes: 'all' as const };
    const other = closeAfterTest(await startApp({ resources }, { controllers: [Own], platform }));
    expect(rejectedAs(await post(other, {}))).toEqual(noTokenFor('notes:own'));
  });

  verifies('CLI-02', 'are named by the middleware, which knows no route', async () => {
    @Controller('notes')
    class Plain {
      @Post()
      post(): string {
        return run();
      }
    }
    @Module({ controllers: [Plain] })
    class Covered {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(BearerAuthMiddleware).forRoutes('notes');
      }
    }
    const { connect } = mcpEndpoint();
    const resources = {
      resource: NOTES,
      authorizationServers: [as.issuer],
      requiredScopes: ['notes:read'],
      challengeScopes: 'all' as const,
    };
    const app = closeAfterTest(
      await startApp({ resources }, { imports: [Covered], controllers: [Tools], prepare: connect, platform }),
    );
    const all = 'notes:read notes:admin notes:a notes:b notes:one';
    expect(rejectedAs(await post(app, toolCall('purge')))).toEqual(noTokenFor(all));
    expect(ran).toBe(0);
  });
});

describe('the option challengeScopes', () => {
  it.each([
    ['none', 'must be required, all or a list of scopes; got "none"'],
    [null, 'must be required, all or a list of scopes; got null'],
    [
      ['a b'],
      'member 0 must be one scope: printable ASCII without space, quote and backslash; got a list of 1',
    ],
    [['scope=a'], 'member 0 has "scope="'],
  ])('rejects %j at bootstrap', async (challengeScopes, message) => {
    const resources = { resource: NOTES, authorizationServers: ['https://as.example'], challengeScopes };
    const failure = await startFailure({ resources } as unknown as McpAuthModuleOptions);
    expect(failure.message).toContain(`resources[0].challengeScopes: ${message}`);
  });
});
